// How a call sounded, in words. No browser in here.

import { fields, list } from "../../api/open";

/** How a stretch of a call sounded at our side. */
export type Moment = {
  /** When it began, of the media, in milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** The opinion score; null where nothing was heard. */
  readonly mos: number | null;
  /** The part of the packets that was lost or came too late. */
  readonly loss: number;
  readonly jitterMs: number;
  readonly roundTripMs: number | null;
};

/** How a call went from moment to moment, the oldest first. */
export function moments(quality: unknown): readonly Moment[] {
  const { course, course_every_ms } = fields(quality);
  const everyMs = number(course_every_ms) ?? 0;
  return list(course).map((point, place) => {
    const { mos, loss, jitter_ms, round_trip_ms } = fields(point);
    return {
      fromMs: place * everyMs,
      untilMs: (place + 1) * everyMs,
      mos: number(mos),
      loss: number(loss) ?? 0,
      jitterMs: number(jitter_ms) ?? 0,
      roundTripMs: number(round_trip_ms),
    };
  });
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** How people hear an opinion score (ITU-T G.107, table B.1). */
export function grade(mos: number): "good" | "fair" | "poor" {
  if (mos >= 4) return "good";
  return mos >= 3.6 ? "fair" : "poor";
}

/** The part of the packets that was lost, of those that were sent. */
export function lostPart(lost: unknown, other: unknown): number | null {
  if (typeof lost !== "number" || typeof other !== "number") return null;
  const sent = lost + other;
  return sent === 0 ? null : lost / sent;
}
