import { useTranslation } from "react-i18next";
import { Siblings } from "../parts/page";

/** All that telephony is made of. */
export function PhoneTabs() {
  const { t } = useTranslation("settings");
  return (
    <Siblings
      of={["numbers", "trunks", "routes", "calling", "recordings"]}
      name={t("section.numbers")}
    />
  );
}
