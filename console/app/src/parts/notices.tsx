import { CloseButton, UnstyledButton } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Refused } from "../api/client";
import { store, useStore } from "../live/store";
import css from "./parts.module.css";

/** What can be done about it. */
type Deed = { readonly label: string; readonly does: () => void };

type Notice = { readonly id: number; readonly text: string; readonly deed: Deed | undefined };

const notices = store<readonly Notice[]>([]);

/** How long a sentence stays, in milliseconds: long enough to be read twice. */
const STAYS_MS = 7_000;

/** The same, where there is something to be done. */
const STAYS_WITH_DEED_MS = 30_000;

/** As many as are read at once. */
const NOTICES_MAX = 3;

let made = 0;

/**
 * Says something that needs no answer, and offers what can be done about it: the same once. What is
 * returned takes it back.
 */
export function notice(text: string, deed?: Deed): () => void {
  made += 1;
  const id = made;
  const isOther = (one: Notice) => deed === undefined || one.deed?.label !== deed.label;
  const others = notices.now().filter(isOther);
  notices.set([...others, { id, text, deed }].slice(-NOTICES_MAX));
  return () => drop(id);
}

function drop(id: number): void {
  notices.set(notices.now().filter((one) => one.id !== id));
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

function Shown({ notice: { id, text, deed } }: { notice: Notice }) {
  const { t } = useTranslation();
  const away = () => drop(id);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time runs once, from when it is shown.
  useEffect(() => {
    const timer = setTimeout(away, deed === undefined ? STAYS_MS : STAYS_WITH_DEED_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={css.notice}>
      <span>{text}</span>
      {deed !== undefined && (
        <UnstyledButton
          className={css.deed}
          onClick={() => {
            away();
            deed.does();
          }}
        >
          {deed.label}
        </UnstyledButton>
      )}
      <CloseButton size="sm" variant="transparent" aria-label={t("failed.close")} onClick={away} />
    </div>
  );
}
