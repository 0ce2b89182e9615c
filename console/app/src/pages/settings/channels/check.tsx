import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { type Fields, fields, text } from "../../../api/open";
import { useWhy } from "../../../parts/notices";
import { State } from "../parts/page";
import parts from "../parts/parts.module.css";
import css from "./channels.module.css";
import { canBeTried, type Mail, taken } from "./mail";

/** Tries what stands in the form, saved or not, and says of every step what came of it. */
export function Check({ settings, id }: { settings: Mail; id: string | undefined }) {
  const { t } = useTranslation("settings");
  const why = useWhy();
  const checking = useMutation({
    mutationFn: () => {
      const body = { settings: taken(settings), ...(id === undefined ? {} : { channel: id }) };
      return asked(api.POST("/api/v1/email/check", { body }));
    },
  });
  const { data, error } = checking;
  const isReady = canBeTried(settings, id !== undefined);
  return (
    <>
      <div>
        <Button
          variant="default"
          loading={checking.isPending}
          disabled={!isReady}
          onClick={() => checking.mutate()}
        >
          {t("email.check")}
        </Button>
        {!isReady && <p className={parts.hint}>{t("email.fill")}</p>}
      </div>
      <div role="status">
        {error !== null && <p className={parts.wrong}>{why(error)}</p>}
        {data !== undefined && (
          <div className={css.report} data-ok={data.ok}>
            <strong>{data.ok ? t("email.fine") : data.headline}</strong>
            {(["receiving", "sending"] as const).map((side) => (
              <Steps
                key={side}
                title={t(`email.side.${side}`)}
                steps={data.steps.map(fields).filter((step) => step.side === side)}
              />
            ))}
          </div>
        )}
      </div>
    </>
  );
}

const LOOKS = { ok: "good", failed: "bad", not_reached: "off" } as const;

function Steps({ title, steps }: { title: string; steps: readonly Fields[] }) {
  const { t } = useTranslation("settings");
  return (
    <div className={css.steps}>
      <h3>{title}</h3>
      <ul>
        {steps.map((step) => (
          <li key={text(step.step)}>
            <State is={LOOKS[text(step.outcome) as "ok"] ?? "off"}>
              {t(`email.step.${text(step.step) as "dns"}`)}
            </State>
            {step.outcome === "failed" && <p>{text(step.sentence) || text(step.detail)}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The way to Google or Microsoft, where the owner of the mailbox lets us in. */
export function Connect({ id, isChanged }: { id: string | undefined; isChanged: boolean }) {
  const { t } = useTranslation("settings");
  const why = useWhy();
  const going = useMutation({
    mutationFn: async () => {
      const params = { path: { id: id ?? "" } };
      const { url } = await asked(api.POST("/api/v1/channels/{id}/email/authorise", { params }));
      location.assign(url);
    },
  });
  const canGo = id !== undefined && !isChanged;
  return (
    <div>
      <Button
        variant="default"
        disabled={!canGo}
        loading={going.isPending}
        onClick={() => going.mutate()}
      >
        {t("email.connect")}
      </Button>
      {!canGo && <p className={css.soft}>{t("email.saveFirst")}</p>}
      {going.error !== null && (
        <p className={parts.wrong} role="alert">
          {why(going.error)}
        </p>
      )}
    </div>
  );
}
