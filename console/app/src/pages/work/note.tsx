import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../api/client";
import { notes, targets } from "../../api/questions";
import { Avatar } from "../../parts/avatar";
import { notice, useWhy } from "../../parts/notices";
import css from "./composer.module.css";
import { draft, keepDraft } from "./drafts";
import { asking, meant, mentioned } from "./notes";
import { placed } from "./slash";

/** As long as a note may be, in characters. */
const NOTE_MAX = 4_000;

type Props = {
  interaction: string;
  /** How a note of a call that goes on is kept; else as any other. */
  keep?: (text: string) => Promise<unknown>;
  /** Whether one is to write at once. */
  isFirst?: boolean;
  /** Told of each letter. */
  typed?: () => void;
};

/** A word for colleagues, which the customer never sees. */
export default function NoteBox({ interaction, keep, isFirst = true, typed }: Props) {
  const { t } = useTranslation("agent");
  const client = useQueryClient();
  const why = useWhy();
  const { data: all } = useQuery(targets);
  const kept = `${interaction}.note`;
  const [text, setText] = useState(() => draft(kept));
  const [caret, setCaret] = useState(text.length);
  const [chosen, setChosen] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => {
    if (isFirst) field.current?.focus();
  }, [isFirst]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows from the text.
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  const write = (next: string) => {
    setText(next);
    keepDraft(kept, next);
    if (next !== "") typed?.();
  };
  const note = useMutation({
    mutationFn: async (words: string) => {
      if (keep !== undefined) {
        await keep(words);
        return;
      }
      const body = { text: words, mentions: [...mentioned(words, all?.agents ?? [])] };
      const params = { path: { id: interaction } };
      await asked(api.POST("/api/v1/interactions/{id}/notes", { params, body }));
      await client.invalidateQueries({ queryKey: notes(interaction).queryKey });
    },
    onSuccess: () => {
      write("");
      if (keep !== undefined) notice(t("note.kept"));
    },
    onError: (error) => notice(why(error)),
  });
  const at = asking(text, caret);
  const shown = at === undefined ? [] : meant(all?.agents ?? [], at.letters);
  const letters = at?.letters;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other letters mean others.
  useEffect(() => setChosen(0), [letters]);
  const take = (name: string | undefined) => {
    if (at === undefined || name === undefined) return;
    const next = placed(text, at, `@${name} `);
    write(next.text);
    setCaret(next.caret);
    requestAnimationFrame(() => field.current?.setSelectionRange(next.caret, next.caret));
  };
  const trimmed = text.trim();
  const go = () => {
    if (trimmed !== "" && !note.isPending) note.mutate(trimmed);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const isEnter = event.key === "Enter" && !event.shiftKey;
    const step = { ArrowDown: 1, ArrowUp: shown.length - 1 }[event.key];
    if (shown.length > 0 && step !== undefined) setChosen((chosen + step) % shown.length);
    else if (shown.length > 0 && (isEnter || event.key === "Tab")) take(shown[chosen]?.name);
    else if (isEnter) go();
    else return;
    event.preventDefault();
  };
  const option = (place: number) => `${id}-${place}`;
  return (
    <div className={css.box} data-note="true">
      {shown.length > 0 && (
        <div id={id} role="listbox" aria-label={t("note.colleagues")} className={css.quick}>
          {shown.map((one, place) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field, which keeps the focus, has the keys.
            <div
              key={one.id}
              id={option(place)}
              role="option"
              tabIndex={-1}
              aria-selected={place === chosen}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(one.name)}
            >
              <Avatar name={one.name} size={22} />
              <strong>{one.name}</strong>
            </div>
          ))}
        </div>
      )}
      <textarea
        ref={field}
        className={css.field}
        rows={1}
        maxLength={NOTE_MAX}
        value={text}
        placeholder={t("note.hint")}
        aria-label={t("note.label")}
        aria-autocomplete="list"
        {...(shown.length > 0 && {
          "aria-controls": id,
          "aria-activedescendant": option(chosen),
        })}
        onChange={(event) => write(event.currentTarget.value)}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={pressed}
      />
      <div className={css.tools}>
        <span className={css.hint}>
          <IconLock size={14} stroke={1.7} aria-hidden="true" />
          {t("note.inside")}
        </span>
        <Button
          className={css.send}
          data-ready={trimmed !== ""}
          aria-disabled={trimmed === ""}
          loading={note.isPending}
          onClick={go}
        >
          {t("note.keep")}
        </Button>
      </div>
    </div>
  );
}
