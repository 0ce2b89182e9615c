import { CloseButton } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Refused } from "../api/client";
import { store, useStore } from "../live/store";
import css from "./parts.module.css";

type Notice = { readonly id: number; readonly text: string };

const notices = store<readonly Notice[]>([]);

/** How long a sentence stays, in milliseconds: long enough to be read twice. */
const STAYS_MS = 7_000;

/** As many as are read at once. */
const NOTICES_MAX = 3;

let made = 0;

/** Says something that needs no answer. */
export function notice(text: string): void {
  made += 1;
  notices.set([...notices.now(), { id: made, text }].slice(-NOTICES_MAX));
}

/** Why something was not done, in a sentence. */
export function useWhy(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof Refused)) return t("failed.unknown");
    if (error.status === 0) return t("failed.unreachable");
    return error.message || t("failed.unknown");
  };
}

/** The sentences, at the foot of the window; read aloud as they come. */
export function Notices() {
  const all = useStore(notices, (value) => value);
  return (
    <div className={css.notices} role="status" aria-live="polite">
      {all.map((one) => (
        <Shown key={one.id} notice={one} />
      ))}
    </div>
  );
}

function Shown({ notice: { id, text } }: { notice: Notice }) {
  const { t } = useTranslation();
  const drop = () => notices.set(notices.now().filter((one) => one.id !== id));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time runs once, from when it is shown.
  useEffect(() => {
    const timer = setTimeout(drop, STAYS_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={css.notice}>
      <span>{text}</span>
      <CloseButton size="sm" variant="transparent" aria-label={t("failed.close")} onClick={drop} />
    </div>
  );
}
