import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import css from "./account.module.css";
import { Password } from "./password";
import { SecondFactor } from "./second-factor";

/** How one shows who one is. */
export function AccountPage() {
  const { t } = useTranslation("account");
  const { t: core } = useTranslation();
  useEffect(() => {
    document.title = `${t("title")} · ${core("name")}`;
  }, [t, core]);
  return (
    <div className={css.page}>
      <div className={css.column}>
        <h1>{t("title")}</h1>
        <Password />
        <SecondFactor />
      </div>
    </div>
  );
}
