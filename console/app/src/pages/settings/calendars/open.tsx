import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { State } from "../parts/page";

/** Open or closed, until when, and why. */
export function Openness({ is }: { is: Schemas["Openness"] }) {
  const { t, i18n } = useTranslation("settings");
  const until = is.open ? is.closes_at : is.opens_at;
  const when =
    until == null
      ? undefined
      : new Intl.DateTimeFormat(i18n.language, {
          weekday: "short",
          hour: "2-digit",
          minute: "2-digit",
        }).format(new Date(until));
  const what = is.open ? "open" : "closed";
  return (
    <State is={is.open ? "good" : "off"}>
      {when === undefined ? t(`calendars.${what}`) : t(`calendars.${what}Until`, { when })}
      {is.day != null && ` · ${is.day}`}
    </State>
  );
}
