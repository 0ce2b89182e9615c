// Sentences that are written by a few letters behind a slash.

import type { QuickReply, Work } from "../../api/client";

/** Letters that were typed behind a slash, and where the slash stands. */
export type Typed = { at: number; letters: string };

/** What stands behind a slash right before the caret: at the beginning, or behind a space. */
export function typed(text: string, caret: number): Typed | undefined {
  const found = /(?:^|\s)\/([\p{L}\p{N}_-]*)$/u.exec(text.slice(0, caret));
  const letters = found?.[1];
  return letters === undefined ? undefined : { at: caret - letters.length - 1, letters };
}

/** Those of a service that are meant by some letters: by how they begin, then by what they say. */
export function meant(replies: readonly QuickReply[], letters: string, service: string) {
  const small = letters.toLowerCase();
  const own = replies.filter(
    ({ services = [] }) => services.length === 0 || services.includes(service),
  );
  const begins = own.filter(({ shortcut }) => shortcut.startsWith(small));
  const says = own.filter((one) => !begins.includes(one) && one.text.toLowerCase().includes(small));
  const order = (a: QuickReply, b: QuickReply) => a.shortcut.localeCompare(b.shortcut);
  return [...begins.sort(order), ...says.sort(order)].slice(0, SHOWN_MAX);
}

/** A reply with its names filled in. What nobody knows is left out. */
export function filled(text: string, work: Work, agent: string): string {
  const values: Record<string, string> = {
    name: work.customer,
    protocol: work.protocol,
    service: work.service_name,
    agent,
  };
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => values[name] ?? "");
}

/** A text with a reply in the place of what was typed, and where the caret stands then. */
export function placed(text: string, { at, letters }: Typed, reply: string) {
  const before = text.slice(0, at) + reply;
  return { text: before + text.slice(at + 1 + letters.length), caret: before.length };
}

/** As many as are read at a glance. */
const SHOWN_MAX = 6;
