// What colleagues wrote for each other, among what was written with the customer. No browser in here.

import type { Message, Schemas } from "../../api/client";
import { type Group, groups } from "./said";

export type Noted = Schemas["InternalNote"];

export type Row =
  | { readonly kind: "group"; readonly day: number; readonly group: Group }
  | { readonly kind: "note"; readonly day: number; readonly note: Noted };

/** All in the order in which it was written. */
export function rows(all: readonly Message[], notes: readonly Noted[]): readonly Row[] {
  const made: Row[] = [];
  let from = 0;
  const take = (until: number) => {
    const to = all.findIndex(({ at_ms }, place) => place >= from && at_ms > until);
    const end = to === -1 ? all.length : to;
    for (const group of groups(all.slice(from, end))) {
      made.push({ kind: "group", day: group.day, group });
    }
    from = end;
  };
  for (const note of [...notes].sort((a, b) => a.at_ms - b.at_ms)) {
    take(note.at_ms);
    made.push({ kind: "note", day: new Date(note.at_ms).setHours(0, 0, 0, 0), note });
  }
  take(Number.POSITIVE_INFINITY);
  return made;
}

/** What a colleague left for who took it after them: the last word before that, unless it is one's own. */
export function lastWord(notes: readonly Noted[], me: string, taken_ms: number): Noted | undefined {
  const last = notes.filter(({ at_ms }) => at_ms <= taken_ms).at(-1);
  return last?.by === me ? undefined : last;
}

type Colleague = { readonly id: string; readonly name: string };

/** Letters that were typed behind an at sign, and where it stands. */
export function asking(text: string, caret: number): { at: number; letters: string } | undefined {
  const found = /(?:^|\s)@([\p{L}\p{N}._-]*)$/u.exec(text.slice(0, caret));
  const letters = found?.[1];
  return letters === undefined ? undefined : { at: caret - letters.length - 1, letters };
}

/** Those whose name begins so, or a word of it. */
export function meant<T extends Colleague>(all: readonly T[], letters: string): readonly T[] {
  const small = letters.toLowerCase();
  const begins = ({ name }: T) =>
    name
      .toLowerCase()
      .split(/\s+/)
      .some((word) => word.startsWith(small));
  return all.filter(begins).slice(0, SHOWN_MAX);
}

/** Who is named in a text: by the whole name, and where one begins like another by the longer. */
export function mentioned(text: string, all: readonly Colleague[]): readonly string[] {
  let left = text;
  const found: string[] = [];
  for (const { id, name } of [...all].sort((a, b) => b.name.length - a.name.length)) {
    const without = taken(left, `@${name}`);
    if (without !== left) found.push(id);
    left = without;
  }
  return found;
}

/** A text in pieces, the names of colleagues apart. */
export function marked(text: string): readonly { text: string; isName: boolean }[] {
  return text
    .split(/(@[\p{L}\p{N}._-]+)/u)
    .filter((piece) => piece !== "")
    .map((piece) => ({ text: piece, isName: piece.startsWith("@") && piece.length > 1 }));
}

/** The text without a name, where that stands by itself: Ana is not Anabela. */
function taken(text: string, name: string): string {
  return text
    .split(name)
    .reduce((before, after) => before + (/^[\p{L}\p{N}]/u.test(after) ? name : " ") + after);
}

/** As many as are read at a glance. */
const SHOWN_MAX = 6;
