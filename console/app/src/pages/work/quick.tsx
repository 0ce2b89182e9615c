import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { QuickReply, Work } from "../../api/client";
import { quickReplies, session } from "../../api/questions";
import css from "./composer.module.css";
import { filled, meant, placed, type Typed, typed } from "./slash";

type Write = (text: string, caret: number) => void;

/** The replies that are meant by what is typed, and what the keys do to them. */
export function useQuick(work: Work, text: string, caret: number, write: Write) {
  const { data: replies = [] } = useQuery(quickReplies);
  const { data: who } = useQuery(session);
  const [chosen, setChosen] = useState(0);
  /** Where the list was shut: it opens again behind another slash. */
  const [shut, setShut] = useState<number>();
  const id = useId();
  const slash = typed(text, caret);
  const isOpen = slash !== undefined && slash.at !== shut;
  const found = isOpen ? meant(replies, slash.letters, work.service) : [];
  const agent = who?.name ?? "";
  const shown = found.map((one) => ({ ...one, text: filled(one.text, work, agent) }));
  const letters = slash?.letters;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other letters mean others.
  useEffect(() => setChosen(0), [letters]);
  useEffect(() => {
    if (slash === undefined) setShut(undefined);
  }, [slash]);

  const take = (reply: QuickReply | undefined, where: Typed) => {
    if (reply === undefined) return;
    const next = placed(text, where, reply.text);
    write(next.text, next.caret);
  };
  /** Whether the key was one of the list's. */
  const pressed = (event: KeyboardEvent): boolean => {
    if (slash === undefined || shown.length === 0 || event.nativeEvent.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: shown.length - 1 }[event.key];
    if (step !== undefined) setChosen((chosen + step) % shown.length);
    else if (event.key === "Enter" || event.key === "Tab") take(shown[chosen], slash);
    else if (event.key === "Escape") setShut(slash.at);
    else return false;
    event.preventDefault();
    return true;
  };
  const option = (place: number) => `${id}-${place}`;
  const field = shown.length > 0 && {
    "aria-controls": id,
    "aria-activedescendant": option(chosen),
  };
  const list = shown.length > 0 && slash !== undefined && (
    <List id={id} option={option} shown={shown} chosen={chosen} take={(one) => take(one, slash)} />
  );
  return { pressed, field: { "aria-autocomplete": "list" as const, ...field }, list };
}

type ListProps = {
  id: string;
  option: (place: number) => string;
  shown: QuickReply[];
  chosen: number;
  take: (reply: QuickReply) => void;
};

function List({ id, option, shown, chosen, take }: ListProps) {
  const { t } = useTranslation();
  return (
    <div id={id} role="listbox" aria-label={t("composer.quick")} className={css.quick}>
      {shown.map((one, place) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field, which keeps the focus, has the keys.
        <div
          key={one.id}
          id={option(place)}
          role="option"
          tabIndex={-1}
          aria-selected={place === chosen}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(one)}
        >
          <strong>/{one.shortcut}</strong>
          <span>{one.text}</span>
        </div>
      ))}
    </div>
  );
}
