import { describe, expect, it } from "vitest";
import { begin, deadline, type Happening, type Link, step } from "../src/live/link";

const at = (link: Link, what: Happening, now: number, chance = 1) => step(link, what, now, chance);

const CUT: Happening = { kind: "closed", code: 1006 };
const TICK: Happening = { kind: "tick" };

describe("the one socket", () => {
  it("is open as soon as something is heard", () => {
    expect(at(begin(0), { kind: "heard" }, 5)).toEqual({ is: "open", heard: 5 });
  });

  it("is opened again at once, then after pauses that double up to 15 seconds", () => {
    let link: Link = { is: "open", heard: 0 };
    let now = 0;
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      link = at(link, CUT, now);
      pauses.push(deadline(link) - now);
      now = deadline(link);
      link = at(link, TICK, now);
      expect(link.is).toBe("opening");
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it("is not opened by all at the same moment", () => {
    const open: Link = { is: "open", heard: 0 };
    expect(deadline(at(open, CUT, 0, 0))).toBe(250);
    expect(deadline(at(open, CUT, 0, 0.5))).toBe(375);
  });

  it("is not opened before its time", () => {
    const waiting = at({ is: "open", heard: 0 }, CUT, 0);
    expect(at(waiting, TICK, 499)).toBe(waiting);
    expect(at(waiting, CUT, 499)).toBe(waiting);
  });

  it("is given up after a minute of silence, and after ten seconds without an answer", () => {
    const open: Link = { is: "open", heard: 100 };
    expect(deadline(open)).toBe(60_100);
    expect(at(open, TICK, 60_099)).toBe(open);
    expect(at(open, TICK, 60_100).is).toBe("waiting");
    expect(deadline(begin(0))).toBe(10_000);
    expect(at(begin(0), TICK, 9_999).is).toBe("opening");
    expect(at(begin(0), TICK, 10_000).is).toBe("waiting");
  });

  it("is opened at once when the machine wakes and the socket may be dead", () => {
    const woke: Happening = { kind: "woke" };
    const open: Link = { is: "open", heard: 0 };
    expect(at(open, woke, 29_999)).toBe(open);
    expect(at(open, woke, 30_000)).toEqual(begin(30_000));
    const waiting: Link = { is: "waiting", attempt: 6, until: 99_000 };
    expect(at(waiting, woke, 5)).toEqual(begin(5));
    expect(at(begin(0), woke, 5)).toEqual(begin(0));
  });

  it("is never opened again for whoever may not watch any more", () => {
    const over = at({ is: "open", heard: 0 }, { kind: "closed", code: 4003 }, 0);
    expect(over).toEqual({ is: "over" });
    for (const what of [CUT, TICK, { kind: "woke" }, { kind: "heard" }] as const) {
      expect(at(over, what, 99)).toBe(over);
    }
    expect(deadline(over)).toBe(Number.POSITIVE_INFINITY);
  });
});
