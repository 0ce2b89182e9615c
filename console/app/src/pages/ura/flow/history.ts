// What was before, to go back to it, and forth again.

export type History<T> = {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
  /** What was being changed, and until when more of the same belongs to it. */
  readonly same?: { readonly what: string; readonly until: number } | undefined;
};

/** As far back as one can go: more than anybody remembers. */
const STEPS_MAX = 200;

/** How long a pause in writing may be within one change, in milliseconds. */
const PAUSE_MS = 1_200;

export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [] };
}

/** `next` is now. What is changed again before long, by the same `what`, is one change. */
export function went<T>(history: History<T>, next: T, at: number, what?: string): History<T> {
  const { past, now, same } = history;
  const goesOn = what !== undefined && same?.what === what && at < same.until;
  return {
    past: goesOn ? past : [...past, now].slice(-STEPS_MAX),
    now: next,
    future: [],
    same: what === undefined ? undefined : { what, until: at + PAUSE_MS },
  };
}

export function back<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future] };
}

export function forth<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.now], now: next, future };
}
