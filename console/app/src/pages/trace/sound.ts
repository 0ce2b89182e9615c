// How a call sounded, in words. No browser in here.

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
