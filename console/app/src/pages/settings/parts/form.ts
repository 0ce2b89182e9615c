// A form bound to what the program keeps: what was changed, and what the program says is wrong, at its field.

import { useState } from "react";
import { Refused } from "../../../api/client";
import { same } from "./same";

/** A part of what is being changed, and the way to change it. */
export type Part<T> = {
  readonly value: T;
  set(changes: Partial<T>): void;
  /** What is wrong with a field. */
  why(field: string): string | undefined;
};

export type Form<T> = Part<T> & {
  readonly isChanged: boolean;
  /** Back to what is kept. */
  reset(): void;
  refuse(error: unknown): void;
};

/** Keys of those fields of `T` that hold a `V`. */
export type Holding<T, V> = {
  [K in keyof T]-?: V extends NonNullable<T[K]> ? K : NonNullable<T[K]> extends V ? K : never;
}[keyof T] &
  string;

export function useForm<T extends object>(kept: T): Form<T> {
  const [changes, setChanges] = useState<Partial<T>>({});
  const [error, setError] = useState<unknown>();
  const value = { ...kept, ...changes };
  return {
    value,
    isChanged: !same(value, kept),
    set: (more) => {
      setError(undefined);
      setChanges((before) => ({ ...before, ...more }));
    },
    why: (field) => wrong(error, field),
    reset: () => {
      setError(undefined);
      setChanges({});
    },
    refuse: setError,
  };
}

/** What is wrong with a field, or with something inside it that has no field of its own. */
function wrong(error: unknown, field: string): string | undefined {
  if (!(error instanceof Refused) || error.field === undefined) return undefined;
  return error.field === field ? error.message : undefined;
}

/** A form within a form: a field that has fields. */
export function part<T, K extends keyof T & string>(of: Part<T>, name: K): Part<NonNullable<T[K]>> {
  const value = (of.value[name] ?? {}) as NonNullable<T[K]>;
  return {
    value,
    set: (changes) => of.set({ [name]: { ...value, ...changes } } as unknown as Partial<T>),
    why: (field) => of.why(`${name}.${field}`),
  };
}
