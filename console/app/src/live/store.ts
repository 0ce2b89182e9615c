// A value that is heard to change: the seam between what is pure and what is shown.

import { useSyncExternalStore } from "react";

export type Store<T> = {
  readonly now: () => T;
  readonly set: (next: T) => void;
  readonly heard: (listener: () => void) => () => void;
};

export function store<T>(first: T): Store<T> {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    now: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    heard(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What `pick` finds in the store: a part of it, not something made anew. */
export function useStore<T, P>(from: Store<T>, pick: (value: T) => P): P {
  return useSyncExternalStore(from.heard, () => pick(from.now()));
}
