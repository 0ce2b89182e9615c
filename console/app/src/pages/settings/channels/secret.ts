import { useTranslation } from "react-i18next";
import { showOnce } from "../parts/once";

/** Shows with what a webhook checks that we told it, this one time. */
export function useShowSecret(): (secret: string) => void {
  const { t } = useTranslation("settings");
  return (value) =>
    showOnce({
      title: t("secret.title"),
      text: t("secret.text"),
      values: [{ label: t("secret.label"), value }],
    });
}
