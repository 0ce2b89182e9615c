import { Skeleton } from "@mantine/core";
import { IconMessageOff, IconRobot } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Message } from "../../api/client";
import { messages } from "../../api/questions";
import { Empty } from "../../parts/empty";
import { clock, day, useNow } from "../../parts/time";
import { Files } from "../work/files";
import { author, failure, type Group, groups, reactions, said } from "../work/said";
import css from "../work/talk.module.css";
import { Words } from "../work/text";
import page from "./interaction.module.css";

/** What was written, to be read only: nobody is told that it was. */
export function Talk({ id, isOpen }: { id: string; isOpen: boolean }) {
  const { t, i18n } = useTranslation();
  const now = useNow(60_000);
  const { data: all } = useQuery({ ...messages(id), refetchInterval: isOpen ? 4_000 : false });
  if (all === undefined) return <Skeleton height={160} />;
  if (all.length === 0) {
    return <Empty icon={<IconMessageOff size={36} stroke={1.4} />} title={t("talk.empty")} />;
  }
  let last = 0;
  return (
    <div role="log" className={page.talk} aria-label={t("talk.messages")}>
      {groups(all).map((group) => {
        const isNew = group.day !== last;
        last = group.day;
        return (
          <div key={group.items[0]?.id} className={css.part}>
            {isNew && <p className={css.day}>{day(t, i18n.language, group.day, now)}</p>}
            <Said group={group} />
          </div>
        );
      })}
    </div>
  );
}

function Said({ group }: { group: Group }) {
  const { t, i18n } = useTranslation();
  const first = group.items[0];
  if (first === undefined) return null;
  const { kind, name } = author(first);
  const side = first.direction === "inbound" ? "in" : "out";
  const isByItself = side === "out" && kind !== "agent";
  return (
    <div className={css.group} data-side={side} data-itself={isByItself}>
      <span className={css.author}>
        {isByItself && <IconRobot size={14} stroke={1.7} aria-hidden="true" />}
        {isByItself ? t("talk.system") : name || t("work.customer")}
      </span>
      {group.items.map((message) => (
        <div key={message.id} className={css.item}>
          <div className={css.bubble}>
            <Content message={message} />
            <span className={css.foot}>
              {message.edits != null && message.edits.length > 0 && <>{t("talk.edited")} · </>}
              <time>{clock(i18n.language, message.at_ms)}</time>
            </span>
            {reactions(message).length > 0 && (
              <span className={css.reactions}>{reactions(message).join(" ")}</span>
            )}
          </div>
          {message.state === "failed" && (
            <p className={css.failed}>{failure(message) || t("talk.state.failed")}</p>
          )}
        </div>
      ))}
    </div>
  );
}

function Content({ message }: { message: Message }) {
  const { t } = useTranslation();
  if (message.revoked_ms != null) return <em className={css.soft}>{t("talk.revoked")}</em>;
  const what = said(message);
  switch (what.kind) {
    case "text":
    case "reaction":
      return <Words text={what.text} />;
    case "media":
      return (
        <>
          <Files files={message.attachments} />
          {what.caption !== "" && <Words text={what.caption} />}
        </>
      );
    case "location":
      return <Words text={what.text} label={t("talk.location")} />;
    case "contacts":
      return <Words text={what.text} label={t("talk.contacts")} />;
    case "choices":
      return <Words text={[what.text, ...what.choices.map((one) => `• ${one}`)].join("\n")} />;
    case "template":
      return (
        <Words
          text={Object.values(what.given).join(" · ")}
          label={`${t("talk.template")} · ${what.name.replaceAll("_", " ")}`}
        />
      );
    case "order":
      return <em className={css.soft}>{t("talk.order")}</em>;
    case "unsupported":
      return <em className={css.soft}>{t("talk.unsupported", { kind: what.name })}</em>;
  }
}
