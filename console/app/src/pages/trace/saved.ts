// Filters that were given a name: on this machine, for whoever is logged in here.

import { type Filters, read } from "./address";

export type Saved = { readonly name: string; readonly filters: Filters };

const KEPT = "ramal.trace.saved";

/** More than anybody finds again. */
const SAVED_MAX = 30;

/** Those of this person, by their names. */
export function saved(user: string, store: Storage = localStorage): readonly Saved[] {
  const kept: unknown = parsed(store.getItem(`${KEPT}.${user}`));
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((one) =>
    typeof one?.name === "string" && typeof one?.filters === "object" && one.filters !== null
      ? [{ name: one.name, filters: read(one.filters) }]
      : [],
  );
}

/** With one more, or another one under its name. */
export function keep(all: readonly Saved[], one: Saved): readonly Saved[] {
  const others = all.filter(({ name }) => name !== one.name);
  return [...others, one].sort((a, b) => a.name.localeCompare(b.name)).slice(0, SAVED_MAX);
}

export function store(user: string, all: readonly Saved[], where: Storage = localStorage): void {
  where.setItem(`${KEPT}.${user}`, JSON.stringify(all));
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
