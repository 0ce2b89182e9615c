import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { fields, text } from "../../../api/open";
import { Group } from "../parts/fields";
import parts from "../parts/parts.module.css";
import css from "./channels.module.css";
import { ChannelState, useHealth } from "./state";

/** How a channel does, and what its provider told of it. */
export function Health({ channel }: { channel: Schemas["Channel"] }) {
  const { t, i18n } = useTranslation("settings");
  const { data } = useHealth(channel.id);
  const format = new Intl.DateTimeFormat(i18n.language, { dateStyle: "short", timeStyle: "short" });
  const at = (ms?: number | null) => (ms == null ? t("health.never") : format.format(ms));
  const why = text(fields(data?.failure).sentence);
  return (
    <Group title={t("health.title")} text={t("health.text")}>
      <dl className={parts.fact}>
        <dt>{t("state")}</dt>
        <dd>
          <ChannelState channel={channel} />
        </dd>
        <dt>{t("health.received")}</dt>
        <dd>{at(data?.event_ms)}</dd>
        <dt>{t("health.sent")}</dt>
        <dd>{at(data?.sent_ms)}</dd>
        {data?.failed_ms != null && (
          <>
            <dt>{t("health.failed")}</dt>
            <dd>
              {at(data.failed_ms)} {why}
            </dd>
          </>
        )}
        {data !== undefined && data.forged + data.unreadable > 0 && (
          <>
            <dt>{t("health.refused")}</dt>
            <dd>{t("health.refusedText", { forged: data.forged, unreadable: data.unreadable })}</dd>
          </>
        )}
      </dl>
      {data !== undefined && data.news.length > 0 && (
        <ul className={css.news}>
          {data.news.slice(0, 5).map((news) => (
            <li key={`${news.at_ms} ${news.what}`}>
              <time>{format.format(news.at_ms)}</time> {news.text}
            </li>
          ))}
        </ul>
      )}
    </Group>
  );
}
