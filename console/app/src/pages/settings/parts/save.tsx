import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useWhy } from "../../../parts/notices";
import css from "./parts.module.css";

/** What was changed is kept or forgotten here; why it could not be kept is said here too. */
export function SaveBar({
  isShown,
  isChanged,
  isSaving,
  error,
  children,
}: {
  isShown: boolean;
  isChanged: boolean;
  isSaving: boolean;
  error: unknown;
  children?: ReactNode;
}) {
  const { t } = useTranslation("settings");
  const why = useWhy();
  const bar = useRef<HTMLDivElement>(null);
  // Whoever saved is taken to what is wrong.
  useEffect(() => {
    if (error == null) return;
    const wrong = bar.current?.closest("form")?.querySelector<HTMLElement>("[aria-invalid=true]");
    wrong?.focus();
  }, [error]);
  if (!isShown) return null;
  return (
    <div className={css.save} ref={bar}>
      <p role="alert" data-bad={error != null}>
        {error != null ? why(error) : isChanged && t("unsaved")}
      </p>
      {children}
      <Button type="submit" loading={isSaving}>
        {t("save")}
      </Button>
    </div>
  );
}
