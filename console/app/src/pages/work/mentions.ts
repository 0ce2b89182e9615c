// Where colleagues have named one, until one has looked: it outlives a reload.

import { store } from "../../live/store";
import type { Noted } from "./notes";

export type Mention = Pick<Noted, "at_ms" | "name" | "text"> & { readonly interaction: string };

const KEPT = "ramal.mentions";

/** As many as one catches up with. */
const MENTIONS_MAX = 20;

/** The oldest first, one for each interaction: the last. */
export const mentions = store<readonly Mention[]>(kept());

/** What is looked at of them, where one has it not in hand. */
export const looked = store<string | null>(null);

export function mention(fresh: Mention): void {
  keep([...others(fresh.interaction), fresh].slice(-MENTIONS_MAX));
}

/** One has looked. */
export function lookedAt(interaction: string): void {
  const left = others(interaction);
  if (left.length < mentions.now().length) keep(left);
}

/** Forgets all of them: somebody else may sit here next. */
export function forgetMentions(): void {
  keep([]);
  looked.set(null);
}

function others(interaction: string): readonly Mention[] {
  return mentions.now().filter((one) => one.interaction !== interaction);
}

function keep(all: readonly Mention[]): void {
  mentions.set(all);
  localStorage.setItem(KEPT, JSON.stringify(all));
}

function kept(): readonly Mention[] {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  } catch {
    return [];
  }
}
