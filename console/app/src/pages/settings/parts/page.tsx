import { IconArrowLeft } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { SettingsWords } from "../../../words/settings/pt-BR";
import css from "./parts.module.css";

type SectionName = keyof SettingsWords["section"];

/** What a page is, why one comes here, and what one can do first. */
export function Head({
  title,
  text,
  back,
  children,
}: {
  title: string;
  text?: ReactNode;
  /** The list to which one goes back, and what it is called. */
  back?: { section: string; name: string } | undefined;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ${t("name")}`;
  }, [title, t]);
  return (
    <header className={css.head}>
      <div>
        {back !== undefined && (
          <Link className={css.back} to="/settings/$section" params={{ section: back.section }}>
            <IconArrowLeft size={15} aria-hidden="true" />
            {back.name}
          </Link>
        )}
        <h1>{title}</h1>
        {text !== undefined && <p>{text}</p>}
      </div>
      <div className={css.actions}>{children}</div>
    </header>
  );
}

/** Pages that belong together: one entry of the list on the left leads to all of them. */
export function Siblings({ of, name }: { of: readonly SectionName[]; name: string }) {
  const { t } = useTranslation("settings");
  return (
    <nav className={css.siblings} aria-label={name}>
      {of.map((section) => (
        <Link key={section} to="/settings/$section" params={{ section }}>
          {t(`section.${section}`)}
        </Link>
      ))}
    </nav>
  );
}

/** How something stands: a word with a colour that says the same. */
export function State({
  is,
  children,
}: {
  is: "good" | "warn" | "bad" | "off";
  children: ReactNode;
}) {
  return (
    <span className={css.state} data-is={is}>
      {children}
    </span>
  );
}

/** Whether something is used. */
export function OnOff({ disabled }: { disabled?: boolean | undefined }) {
  const { t } = useTranslation("settings");
  return <State is={disabled ? "off" : "good"}>{t(disabled ? "off" : "on")}</State>;
}
