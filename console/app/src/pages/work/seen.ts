// How far one has read each conversation: it outlives a reload, and is the same in all windows of this browser.

import type { Message } from "../../api/client";
import { store } from "../../live/store";
import { author } from "./said";

/** What there is to be read, each up to a number that only grows. */
type What =
  /** Messages of the customer, by their number. */
  | "messages"
  /** The word of who had it before, by when it was written. */
  | "word";

type Seen = Readonly<Record<string, Readonly<Partial<Record<What, number>>>>>;

const KEPT = "ramal.seen";

/** Of so many conversations it is known: of those of long ago nobody asks. */
const SEEN_MAX = 300;

export const seen = store<Seen>(kept());

if (typeof window !== "undefined") {
  window.addEventListener("storage", ({ key }) => {
    if (key === KEPT) seen.set(kept());
  });
}

/** Remembers it; says whether that is news. */
export function saw(interaction: string, what: What, upTo: number): boolean {
  const { [interaction]: before, ...others } = seen.now();
  if ((before?.[what] ?? 0) >= upTo) return false;
  // The newest stands last, where it is kept longest.
  const all = { ...others, [interaction]: { ...before, [what]: upTo } };
  const fresh = Object.fromEntries(Object.entries(all).slice(-SEEN_MAX));
  seen.set(fresh);
  localStorage.setItem(KEPT, JSON.stringify(fresh));
  return true;
}

/** Forgets all of it: somebody else may sit here next. */
export function forgetSeen(): void {
  seen.set({});
  localStorage.removeItem(KEPT);
}

/** The number of the customer's last message; 0 where there is none. */
export function lastInbound(all: readonly Message[] | undefined): number {
  return all?.findLast((message) => message.direction === "inbound")?.seq ?? 0;
}

/** How many messages of the customer nobody has read: those behind what one has seen, and behind the last answer. */
export function unread(all: readonly Message[] | undefined, read: number | undefined): number {
  const answer = all?.findLast(
    (message) => message.direction === "outbound" && author(message).kind === "agent",
  );
  const from = Math.max(read ?? 0, answer?.seq ?? 0);
  return all?.filter(({ direction, seq }) => direction === "inbound" && seq > from).length ?? 0;
}

function kept(): Seen {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}
