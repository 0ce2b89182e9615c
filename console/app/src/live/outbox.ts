// What was written and is not yet with the program. No browser in here.

import type { Schemas } from "../api/client";

export type Sending = {
  /** Our id of it: sent again under the same id it is the same message. */
  readonly id: string;
  readonly interaction: string;
  readonly body: Omit<Schemas["Sending"], "client_message_id">;
  /** What is shown of it until it is there. */
  readonly text: string;
  readonly files: readonly string[];
  readonly atMs: number;
  readonly state: SendingState;
};

export type SendingState =
  | { readonly is: "going" }
  /** Nobody was reached: it goes by itself when somebody is. */
  | { readonly is: "stuck" }
  /** The program said no, and why; and whether it says the same of the same again. */
  | { readonly is: "refused"; readonly why: string; readonly isFinal: boolean };

export type Outbox = readonly Sending[];

export function put(box: Outbox, sending: Sending): Outbox {
  return [...box.filter((one) => one.id !== sending.id), sending];
}

export function became(box: Outbox, id: string, state: SendingState): Outbox {
  return box.map((one) => (one.id === id ? { ...one, state } : one));
}

export function without(box: Outbox, id: string): Outbox {
  return box.filter((one) => one.id !== id);
}

/** The same after the page was loaded anew: of what was going nobody knows whether it went, so it goes again. */
export function kept(box: Outbox): Outbox {
  return box.map((one) => (one.state.is === "going" ? { ...one, state: { is: "stuck" } } : one));
}

/** What is to go now of an interaction: the first, unless something goes already. One at a time keeps the order. */
export function next(box: Outbox, interaction: string): Sending | undefined {
  const own = box.filter((one) => one.interaction === interaction && one.state.is !== "refused");
  if (own.some((one) => one.state.is === "going")) return undefined;
  return own.find((one) => one.state.is === "stuck");
}
