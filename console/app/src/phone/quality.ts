// How well one hears and is heard, from what the browser counts. No browser in here.

/** What was counted up to a moment. */
export type Counted = {
  readonly atMs: number;
  /** Packets that came, and that were missing. */
  readonly received: number;
  readonly lost: number;
  /** What the other side misses of ours, from 0 to 1. */
  readonly theirLoss: number;
  /** There and back, in milliseconds. */
  readonly roundTripMs: number;
  /** Sound that the microphone gave since the call began; it stands still where there is none. */
  readonly spoken: number;
};

export type Hint = "losing" | "late" | "deaf";

/** How far back is looked, in milliseconds: a moment's loss is not worth a word. */
export const LOOKS_BACK_MS = 10_000;

/** Beyond this share of packets words are missing. */
const LOSS_MAX = 0.03;

/** Beyond this people begin to talk at once, in milliseconds (ITU-T G.114, both ways). */
const ROUND_TRIP_MAX = 400;

/** Fewer packets than this say nothing. */
const PACKETS_MIN = 100;

/** What is worth a word of what was counted, the oldest first; the gravest first. */
export function hint(counted: readonly Counted[], isMuted: boolean): Hint | null {
  const first = counted[0];
  const last = counted.at(-1);
  if (first === undefined || last === undefined) return null;
  if (last.atMs - first.atMs < LOOKS_BACK_MS * 0.7) return null;
  const came = last.received - first.received;
  const lost = Math.max(0, last.lost - first.lost);
  const loss = came + lost >= PACKETS_MIN ? lost / (came + lost) : 0;
  const theirs = counted.reduce((sum, one) => sum + one.theirLoss, 0) / counted.length;
  if (loss > LOSS_MAX || theirs > LOSS_MAX) return "losing";
  if (Math.min(...counted.map((one) => one.roundTripMs)) > ROUND_TRIP_MAX) return "late";
  // A microphone in a quiet room still gives a little: nothing at all is a switch that is off.
  if (!isMuted && last.spoken === first.spoken) return "deaf";
  return null;
}

/** The same with one more, and without what is too old. */
export function counting(counted: readonly Counted[], fresh: Counted): readonly Counted[] {
  return [...counted, fresh].filter((one) => fresh.atMs - one.atMs <= LOOKS_BACK_MS);
}
