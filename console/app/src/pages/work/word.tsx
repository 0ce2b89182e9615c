import { CloseButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Work } from "../../api/client";
import { notes, useMe } from "../../api/questions";
import { useStore } from "../../live/store";
import { lastWord, type Noted } from "./notes";
import { saw, seen } from "./seen";
import css from "./work.module.css";

/** How often an offer asks for it, in milliseconds: it may be kept a moment after the work was handed on. */
const OFFERED_EVERY_MS = 2_000;

/** What a colleague left for whoever has it after them; nothing where nobody left a word. */
export function useWord(work: Work): Noted | undefined {
  const me = useMe();
  const isOffered = work.doing === "offered";
  const { data: all } = useQuery({
    ...notes(work.interaction),
    retry: false,
    refetchInterval: isOffered ? OFFERED_EVERY_MS : false,
  });
  return lastWord(all ?? [], me, isOffered ? Number.POSITIVE_INFINITY : work.since_ms);
}

export function Word({ note, close }: { note: Noted; close?: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={css.word} role="note" data-above={close !== undefined}>
      <p>
        <strong>{t("work.word", { name: note.name })}</strong>
        <span>{note.text}</span>
      </p>
      {close !== undefined && (
        <CloseButton size="sm" aria-label={t("failed.close")} onClick={close} />
      )}
    </div>
  );
}

/** The same above the conversation, until it was put away. */
export function WordAbove({ work }: { work: Work }) {
  const note = useWord(work);
  const read = useStore(seen, (value) => value[work.interaction]?.word ?? 0);
  if (note === undefined || note.at_ms <= read) return null;
  return <Word note={note} close={() => saw(work.interaction, "word", note.at_ms)} />;
}
