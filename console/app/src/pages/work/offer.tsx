import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api, asked, Refused, type Work } from "../../api/client";
import { messages, work as question, useMe } from "../../api/questions";
import { useStore } from "../../live/store";
import { Avatar } from "../../parts/avatar";
import { MediumIcon } from "../../parts/medium";
import { notice, useWhy } from "../../parts/notices";
import { long, useNow } from "../../parts/time";
import { hangUp, phone, answer as take } from "../../phone/handset";
import { kindOf, preview } from "./card";
import { phone as written } from "./identity";
import { useWord, Word } from "./word";
import css from "./work.module.css";

type Answer = { work: string; medium: string; takes: boolean };

/** Takes what is offered, or leaves it to the next. */
export function useAnswer() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const why = useWhy();
  return useMutation({
    mutationFn: async ({ work: id, medium, takes }: Answer) => {
      const params = { path: { id } };
      // A call is taken where it rings: in this window.
      if (medium === "phone") return takes ? take() : hangUp();
      if (takes) await asked(api.POST("/api/v1/work/{id}/accept", { params }));
      else await asked(api.POST("/api/v1/work/{id}/refuse", { params }));
      await client.invalidateQueries({ queryKey: question.queryKey });
    },
    onSuccess: async (_, { work, medium, takes }) => {
      if (takes && medium !== "phone") await navigate({ to: "/work/$work", params: { work } });
    },
    onError: async (error) => {
      const isOver = error instanceof Refused && (error.status === 409 || error.status === 404);
      notice(isOver ? t("work.over") : why(error));
      await client.invalidateQueries({ queryKey: question.queryKey });
    },
  });
}

/** A customer who calls: who, by what, what about, and how long there is to answer. */
export function Offer({ work }: { work: Work }) {
  const { t } = useTranslation();
  const now = useNow(250);
  const answer = useAnswer();
  const isWritten = work.medium !== "phone";
  const { data: all } = useQuery({ ...messages(work.interaction), enabled: isWritten });
  const me = useMe();
  const word = useWord(work);
  const left = Math.max(0, (work.until_ms ?? now) - now);
  const whole = Math.max(1, (work.until_ms ?? now) - work.since_ms);
  const name = written(work.customer) || t("work.customer");
  const { medium } = work;
  const rings = useStore(phone, (value) => value?.leg.is === "ringing");
  const go = (takes: boolean) => answer.mutate({ work: work.work, medium, takes });
  return (
    <article className={css.offer} aria-label={name}>
      <div className={css.row}>
        <Avatar name={work.customer} size={40} />
        <div className={css.text}>
          <span className={css.line}>
            <strong className={css.name}>{name}</strong>
            {work.until_ms != null && (
              <span className={css.left} aria-hidden="true">
                {t("work.left", { count: Math.ceil(left / 1_000) })}
              </span>
            )}
          </span>
          <span className={css.meta}>
            <MediumIcon kind={kindOf(work)} size={15} /> {work.service_name} ·{" "}
            {work.about != null
              ? t("work.asks")
              : t("work.waits", { time: long(t, now - work.began_ms) })}
          </span>
        </div>
      </div>
      {isWritten && <p className={css.first}>{preview(t, all, me) || "\u00a0"}</p>}
      {word !== undefined && <Word note={word} />}
      {work.until_ms != null && (
        <div className={css.bar}>
          <span style={{ transform: `scaleX(${Math.min(1, left / whole)})` }} />
        </div>
      )}
      {isWritten || rings ? (
        <div className={css.answers}>
          <Button variant="default" disabled={answer.isPending} onClick={() => go(false)}>
            {t("work.refuse")}
          </Button>
          <Button loading={answer.isPending} onClick={() => go(true)}>
            {t("work.accept")}
          </Button>
        </div>
      ) : (
        <p className={css.phone}>{t("work.phone")}</p>
      )}
    </article>
  );
}

/** A call that is no offer: a colleague, or somebody who has dialled one's own extension. */
export function Ring({ from }: { from: string }) {
  const { t } = useTranslation();
  const name = written(from) || t("work.customer");
  return (
    <article className={css.offer} aria-label={name}>
      <div className={css.row}>
        <Avatar name={from} size={40} />
        <div className={css.text}>
          <strong className={css.name}>{name}</strong>
          <span className={css.meta}>
            <MediumIcon kind="phone" size={15} /> {t("work.rings")}
          </span>
        </div>
      </div>
      <div className={css.answers}>
        <Button variant="default" onClick={hangUp}>
          {t("work.refuse")}
        </Button>
        <Button onClick={take}>{t("work.accept")}</Button>
      </div>
    </article>
  );
}
