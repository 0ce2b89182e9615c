// A draft that is saved while it is written: soon after each change, one saving at a time.

import { type Store, store } from "../../live/store";

export type Kept<T> = {
  readonly value: T;
  /** `conflict`: somebody else changed it since it was read. */
  readonly is: "saved" | "changed" | "saving" | "failed" | "conflict";
  /** What the program gave it when it was last saved. */
  readonly revision: number;
  readonly error?: unknown;
};

export type Keeper<T> = {
  readonly store: Store<Kept<T>>;
  readonly change: (next: T) => void;
  /** Saves what is not saved yet; whether all is saved then. */
  readonly flush: () => Promise<boolean>;
  /** Saves it over what somebody else made of it. */
  readonly insist: (revision: number) => Promise<boolean>;
};

/** How long nobody writes before it is saved, in milliseconds. */
export const PAUSE_MS = 700;

/** Saves over `revision`: the new one, or that somebody else was faster. */
type Save<T> = (revision: number, value: T) => Promise<number | "conflict">;

/** Keeps `value`, read at `revision`, by `save`. */
export function keeper<T>(revision: number, value: T, save: Save<T>): Keeper<T> {
  const kept = store<Kept<T>>({ value, revision, is: "saved" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let going: Promise<boolean> | undefined;

  const run = async (): Promise<boolean> => {
    for (;;) {
      const { value, revision } = kept.now();
      kept.set({ value, revision, is: "saving" });
      try {
        const next = await save(revision, value);
        if (next === "conflict") {
          kept.set({ value: kept.now().value, revision, is: "conflict" });
          return false;
        }
        const isSame = kept.now().value === value;
        kept.set({ value: kept.now().value, revision: next, is: isSame ? "saved" : "changed" });
        if (isSame) return true;
      } catch (error) {
        kept.set({ value: kept.now().value, revision, is: "failed", error });
        return false;
      }
    }
  };
  const flush = async (): Promise<boolean> => {
    clearTimeout(timer);
    if (going !== undefined) return going;
    if (kept.now().is === "saved") return true;
    if (kept.now().is === "conflict") return false;
    going = run();
    const isDone = await going;
    going = undefined;
    return isDone;
  };
  return {
    store: kept,
    change(next) {
      const { revision, is } = kept.now();
      if (is === "conflict") {
        kept.set({ ...kept.now(), value: next });
        return;
      }
      kept.set({ value: next, revision, is: is === "saving" ? "saving" : "changed" });
      clearTimeout(timer);
      timer = setTimeout(() => void flush(), PAUSE_MS);
    },
    flush,
    insist(revision) {
      kept.set({ value: kept.now().value, revision, is: "changed" });
      return flush();
    },
  };
}
