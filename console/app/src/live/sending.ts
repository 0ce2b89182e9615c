// What is written goes to the program: in order, once, and again by itself after the connection was lost.

import { questions } from "../api/asking";
import { api, asked, type Message, Refused } from "../api/client";
import { messages, session } from "../api/questions";
import { became, kept, next, type Outbox, put, type Sending, without } from "./outbox";
import { store } from "./store";

/** How long is waited before what got stuck is tried again by itself, in milliseconds. */
const AGAIN_AFTER_MS = 5_000;

/** Where it is kept: in this tab, as another one has an outbox of its own. */
const KEPT = "ramal.outbox";

/** What is not yet with the program: it outlives a reload. */
export const outbox = store<Outbox>(fromBefore());

outbox.heard(() => sessionStorage.setItem(KEPT, JSON.stringify(outbox.now())));

/** Sends, after what is still on its way in the same interaction. */
export function send(sending: Omit<Sending, "id" | "atMs" | "state">): void {
  const fresh: Sending = {
    ...sending,
    id: crypto.randomUUID(),
    atMs: Date.now(),
    state: { is: "stuck" },
  };
  outbox.set(put(outbox.now(), fresh));
  void go(sending.interaction);
}

/** Sends again what was refused. */
export function again(sending: Sending): void {
  outbox.set(became(outbox.now(), sending.id, { is: "stuck" }));
  void go(sending.interaction);
}

/** Forgets what was not sent. */
export function discard(sending: Sending): void {
  outbox.set(without(outbox.now(), sending.id));
}

/** Sends what got stuck: the program is there again. */
export function flush(): void {
  const open = new Set(outbox.now().map((one) => one.interaction));
  for (const interaction of open) void go(interaction);
}

function fromBefore(): Outbox {
  try {
    return kept(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return [];
  }
}

async function go(interaction: string): Promise<void> {
  for (;;) {
    const sending = next(outbox.now(), interaction);
    if (sending === undefined) return;
    outbox.set(became(outbox.now(), sending.id, { is: "going" }));
    try {
      const params = { path: { id: interaction } };
      const body = { ...sending.body, client_message_id: sending.id };
      const sent = await asked(api.POST("/api/v1/interactions/{id}/messages", { params, body }));
      take(interaction, sent);
      outbox.set(without(outbox.now(), sending.id));
    } catch (error) {
      const isNobody = error instanceof Refused && error.status === 401;
      const isPassing = error instanceof Refused && (error.isPassing || isNobody);
      const why = error instanceof Refused ? error.message : "";
      // What is not as it must be never will be; what is in the way of it may be gone another time.
      const isFinal = error instanceof Refused && [400, 403, 404, 413, 422].includes(error.status);
      const refused = { is: "refused", why, isFinal } as const;
      const state = isPassing ? ({ is: "stuck" } as const) : refused;
      outbox.set(became(outbox.now(), sending.id, state));
      if (isNobody) questions.setQueryData(session.queryKey, null);
      else if (isPassing) {
        setTimeout(() => void go(interaction), AGAIN_AFTER_MS);
      }
      if (isPassing) return;
    }
  }
}

/** Shows what was sent at once: it stands where what was on its way stood. */
function take(interaction: string, sent: Message): void {
  questions.setQueryData(messages(interaction).queryKey, (old) =>
    old?.some((one) => one.id === sent.id) ? old : [...(old ?? []), sent],
  );
}
