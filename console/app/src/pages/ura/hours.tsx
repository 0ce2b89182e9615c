import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import type { CalendarRef } from "./document";
import { calendars, openness } from "./questions";
import css from "./ura.module.css";

type Props = {
  value: CalendarRef;
  change: (hours: CalendarRef) => void;
  fault?: string | undefined;
  isFixed: boolean;
};

/** Always open, of this flow alone, or by a calendar of the company. */
const ALWAYS = "always";
const OWN = "own";

/** When a URA answers. */
export function Hours({ value, change, fault, isFixed }: Props) {
  const { t, i18n } = useTranslation("ura");
  const { data: all = [] } = useQuery(calendars);
  const id = "id" in value ? value.id : undefined;
  const isAlways = "inline" in value && value.inline.schedule === "always";
  const isKnown = id !== undefined && all.some((one) => one.id === id);
  const { data: open } = useQuery({ ...openness(id ?? ""), enabled: isKnown });
  const choose = (chosen: string) => {
    if (chosen === OWN) return;
    if (chosen !== ALWAYS) return change({ id: chosen });
    const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    change({ inline: { time_zone, schedule: "always" } });
  };
  return (
    <>
      <NativeSelect
        aria-label={t("form.hours")}
        value={isAlways ? ALWAYS : (id ?? OWN)}
        error={fault}
        disabled={isFixed}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value={ALWAYS}>{t("hours.always")}</option>
        {id === undefined && !isAlways && <option value={OWN}>{t("hours.own")}</option>}
        {id !== undefined && !isKnown && <option value={id}>{t("hours.pick")}</option>}
        {all.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </NativeSelect>
      {isKnown && open !== undefined && (
        <p className={css.open} data-is={open.open}>
          {opens(t, i18n.language, open)}
        </p>
      )}
    </>
  );
}

/** "Aberto agora, até sexta-feira, 18:00". */
function opens(t: TFunction<"ura">, language: string, open: Schemas["Openness"]): string {
  const format = new Intl.DateTimeFormat(language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    hour: "2-digit",
    minute: "2-digit",
  });
  const at = (moment: string) => format.format(new Date(moment));
  if (open.open) {
    return open.closes_at == null
      ? t("hours.open")
      : t("hours.openUntil", { at: at(open.closes_at) });
  }
  return open.opens_at == null
    ? t("hours.closed")
    : t("hours.closedUntil", { at: at(open.opens_at) });
}
