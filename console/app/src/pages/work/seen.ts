// Up to which message one has read each conversation.

import type { Message } from "../../api/client";
import { store } from "../../live/store";

export const seen = store<Readonly<Record<string, number>>>({});

/** The number of the customer's last message; 0 where there is none. */
export function lastInbound(all: readonly Message[] | undefined): number {
  return all?.findLast((message) => message.direction === "inbound")?.seq ?? 0;
}

/** Remembers it; says whether that is news. */
export function saw(interaction: string, seq: number): boolean {
  if ((seen.now()[interaction] ?? 0) >= seq) return false;
  seen.set({ ...seen.now(), [interaction]: seq });
  return true;
}
