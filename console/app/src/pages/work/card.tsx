import { IconAt } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Message, Work } from "../../api/client";
import { composer, messages, useMe } from "../../api/questions";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import { Avatar } from "../../parts/avatar";
import { MediumIcon } from "../../parts/medium";
import { ago, long, useNow } from "../../parts/time";
import { phone } from "./identity";
import { mentions } from "./mentions";
import { author, said, side } from "./said";
import { seen, unread } from "./seen";
import css from "./work.module.css";

/** What the customer uses: the kind of the channel where it is written. */
export function kindOf(work: Work): string {
  return work.channel?.kind ?? work.medium;
}

/** Who wrote a message of the company's side. */
export function writer(t: TFunction, message: Message, me: string): string {
  const who = side(message, me);
  if (who === "me") return t("talk.you");
  return author(message).name || t(who === "itself" ? "talk.system" : "talk.colleague");
}

/** The last thing that a person wrote, in a line. */
export function preview(t: TFunction, all: readonly Message[] | undefined, me: string): string {
  const last = all?.findLast(
    (message) => author(message).kind !== "system" && said(message).kind !== "reaction",
  );
  if (last === undefined) return "";
  const text = short(t, last);
  return last.direction === "outbound" ? `${writer(t, last, me)}: ${text}` : text;
}

/** A message in a line. */
export function short(t: TFunction, message: Message): string {
  const what = said(message);
  switch (what.kind) {
    case "text":
    case "choices":
    case "location":
    case "contacts":
    case "reaction":
      return what.text;
    case "media":
      return what.caption || what.name || t("talk.file");
    case "template":
      return t("talk.template");
    case "order":
      return t("talk.order");
    case "unsupported":
      return t("talk.unsupported", { kind: what.name });
  }
}

/** How little time must be left for an answer before it is shown on the card, in milliseconds. */
const WINDOW_SHORT_MS = 2 * 3_600_000;

/** Something one has in hand. */
export function Card({ work, place, isOpen }: { work: Work; place: number; isOpen: boolean }) {
  const { t } = useTranslation();
  const now = useNow(15_000);
  const isWritten = work.medium !== "phone";
  const { data: all } = useQuery({ ...messages(work.interaction), enabled: isWritten });
  const me = useMe();
  const { data: window } = useQuery({ ...composer(work.interaction), enabled: isWritten });
  const read = useStore(seen, (value) => value[work.interaction]?.messages);
  const isNamed = useStore(mentions, (all) =>
    all.some(({ interaction }) => interaction === work.interaction),
  );
  const types = useStore(live, ({ typing }) => (typing[work.interaction] ?? 0) > Date.now());
  const last = all?.at(-1);
  const news = unread(all, read);
  const name = phone(work.customer) || t("work.customer");
  const left = window?.open_left_ms == null ? null : window.open_left_ms - (now - window.asked_ms);
  return (
    <Link
      className={css.card}
      to="/work/$work"
      params={{ work: work.work }}
      data-open={isOpen}
      data-unread={news > 0}
      title={place < 10 ? `Alt ${place}` : undefined}
    >
      <span className={css.face}>
        <Avatar name={work.customer} size={40} />
        <span className={css.badge}>
          <MediumIcon kind={kindOf(work)} size={13} />
        </span>
      </span>
      <span className={css.text}>
        <span className={css.line}>
          <strong className={css.name}>{name}</strong>
          <span className={css.when}>{ago(t, now - (last?.at_ms ?? work.since_ms))}</span>
        </span>
        <span className={css.line}>
          <span className={css.last}>
            {types ? t("talk.typing", { name }) : preview(t, all, me) || work.service_name}
          </span>
          {isNamed && (
            <span className={css.named}>
              <IconAt size={14} stroke={2} role="img" aria-label={t("work.named")} />
            </span>
          )}
          {news > 0 && (
            <span className={css.news}>
              {news}
              <span className="unseen"> {t("work.unread", { count: news })}</span>
            </span>
          )}
        </span>
        <Tags work={work} isOpen={window?.open ?? true} left={left} />
      </span>
    </Link>
  );
}

function Tags({ work, isOpen, left }: { work: Work; isOpen: boolean; left: number | null }) {
  const { t } = useTranslation();
  const isShort = left !== null && left > 0 && left < WINDOW_SHORT_MS;
  if (work.doing === "wrapping up") return <span className={css.tag}>{t("work.wrapUp")}</span>;
  if (!isOpen) return <span className={css.tag}>{t("work.windowClosed")}</span>;
  if (isShort) return <span className={css.tag}>{t("work.window", { time: long(t, left) })}</span>;
  return null;
}
