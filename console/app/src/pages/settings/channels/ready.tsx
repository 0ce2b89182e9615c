import { useTranslation } from "react-i18next";
import { State } from "../parts/page";
import { isGrave, type Lack } from "./lack";

/** Whether customers can come by it, or what is missing. */
export function Ready({ lack }: { lack: Lack | undefined }) {
  const { t } = useTranslation("settings");
  if (lack === undefined) return <State is="good">{t("ready.yes")}</State>;
  const is = lack === "off" ? "off" : isGrave(lack) ? "bad" : "warn";
  return <State is={is}>{t(`ready.${lack}`)}</State>;
}
