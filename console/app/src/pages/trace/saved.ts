// Filters that were given a name. No browser in here.

import { type Filters, read } from "./address";

export type Saved = { readonly name: string; readonly filters: Filters };

/** More than anybody finds again. */
const SAVED_MAX = 30;

/** With one more, or another one under its name. */
export function keep(all: readonly Saved[], one: Saved): readonly Saved[] {
  const others = all.filter(({ name }) => name !== one.name);
  return [...others, one].sort((a, b) => a.name.localeCompare(b.name)).slice(0, SAVED_MAX);
}

/** What was kept, whoever wrote it. */
export function parse(kept: unknown): readonly Saved[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((one) =>
    typeof one?.name === "string" && typeof one?.filters === "object" && one.filters !== null
      ? [{ name: one.name, filters: read(one.filters) }]
      : [],
  );
}
