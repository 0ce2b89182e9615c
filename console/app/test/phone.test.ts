import { describe, expect, it } from "vitest";
import { begin, deadline, type Happening, type Phone, step } from "../src/phone/machine";
import { type Counted, counting, hint } from "../src/phone/quality";

/** How it is after these, each at its time in milliseconds. */
function having(...happened: readonly [number, Happening][]): Phone {
  return happened.reduce((phone, [at, what]) => step(phone, what, at, 1), begin(0));
}

const REGISTERED: [number, Happening] = [100, { kind: "registered" }];
const RINGS: [number, Happening] = [1_000, { kind: "rings", id: "a", from: "Clara" }];
const LOST: Happening = { kind: "unregistered", isFinal: false };

describe("the line of the telephone", () => {
  it("is ready once the program knows where we are", () => {
    expect(having(REGISTERED).line).toEqual({ is: "ready", heard: 100 });
  });

  it("is tried again after pauses that double, up to twenty seconds", () => {
    let phone = begin(0);
    let now = 0;
    const pauses = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      phone = step(phone, LOST, now, 1);
      pauses.push(deadline(phone) - now);
      now = deadline(phone);
      phone = step(phone, { kind: "tick" }, now, 1);
      expect(phone.line).toEqual({ is: "opening", attempt: attempt + 1, since: now });
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
  });

  it("is not tried again where the program does not take us", () => {
    const phone = having([50, { kind: "unregistered", isFinal: true }], [60, { kind: "woke" }]);
    expect(phone.line).toEqual({ is: "refused" });
    expect(deadline(phone)).toBe(Number.POSITIVE_INFINITY);
  });

  it("gives up an attempt that leads nowhere after twelve seconds", () => {
    expect(having([11_999, { kind: "tick" }]).line.is).toBe("opening");
    expect(having([12_000, { kind: "tick" }]).line.is).toBe("waiting");
  });

  it("is opened anew at once when the page wakes and a registration was missed", () => {
    expect(having(REGISTERED, [95_099, { kind: "woke" }]).line.is).toBe("ready");
    expect(having(REGISTERED, [95_100, { kind: "woke" }]).line).toEqual({
      is: "opening",
      attempt: 0,
      since: 95_100,
    });
  });

  it("is not cut for that doubt while a call goes on", () => {
    expect(having(REGISTERED, RINGS, [90_000, { kind: "woke" }]).line.is).toBe("ready");
  });

  it("stays what it is while the program answers each time that it is told anew where we are", () => {
    let phone = having(REGISTERED);
    for (let now = 88_000; now < 3_600_000; now += 88_000) {
      phone = step(phone, { kind: "heard" }, now, 1);
      phone = step(phone, { kind: "tick" }, now + 87_999, 1);
      expect(phone.line).toEqual({ is: "ready", heard: now });
    }
    // An answer of the old line is none of the new one.
    const waits = having(REGISTERED, [200, LOST], [300, { kind: "heard" }]);
    expect(waits.line.is).toBe("waiting");
  });

  it("counts as lost when nothing was heard for as long as a registration holds", () => {
    expect(having(REGISTERED, [120_099, { kind: "tick" }]).line.is).toBe("ready");
    expect(having(REGISTERED, [120_100, { kind: "tick" }]).line.is).toBe("waiting");
  });
});

describe("the call of the telephone", () => {
  it("rings, is answered, is talked and ends", () => {
    const rings = having(REGISTERED, RINGS);
    expect(rings.leg).toEqual({ is: "ringing", id: "a", from: "Clara", since: 1_000 });
    const answers = step(rings, { kind: "answers" }, 2_000, 1);
    expect(answers.leg).toEqual({ is: "answering", id: "a", from: "Clara" });
    const talks = step(answers, { kind: "answered", id: "a" }, 2_500, 1);
    expect(talks.leg).toEqual({ is: "talking", id: "a", from: "Clara", since: 2_500 });
    const ended = step(talks, { kind: "ended", id: "a", trouble: null }, 9_000, 1);
    expect(ended.leg).toEqual({ is: "none" });
  });

  it("is taken by itself when it was asked for, once", () => {
    const awaits: [number, Happening] = [500, { kind: "awaits" }];
    const phone = having(REGISTERED, awaits, RINGS);
    expect(phone.leg.is).toBe("answering");
    expect(phone.awaits).toBe(0);
  });

  it("rings like any other when it comes later than fifteen seconds after it was asked for", () => {
    const late: Happening = { kind: "rings", id: "a", from: "" };
    const awaits: [number, Happening] = [500, { kind: "awaits" }];
    expect(having(awaits, [15_499, late]).leg.is).toBe("answering");
    expect(having(awaits, [15_500, late]).leg.is).toBe("ringing");
    // What was refused never rings: the next is a customer.
    const nobody: [number, Happening] = [600, { kind: "expects nobody" }];
    expect(having(awaits, nobody, [700, late]).leg.is).toBe("ringing");
  });

  it("stays the one it is when another one rings or ends", () => {
    const first = having(REGISTERED, RINGS);
    expect(step(first, { kind: "rings", id: "b", from: "" }, 1_100, 1)).toBe(first);
    expect(step(first, { kind: "ended", id: "b", trouble: null }, 1_200, 1)).toBe(first);
    expect(step(first, { kind: "answered", id: "b" }, 1_300, 1)).toBe(first);
  });

  it("remembers that there was no microphone until the next is taken", () => {
    const failed = having(
      RINGS,
      [1_100, { kind: "answers" }],
      [1_200, { kind: "ended", id: "a", trouble: "microphone" }],
    );
    expect(failed.trouble).toBe("microphone");
    const next = step(failed, { kind: "rings", id: "b", from: "" }, 2_000, 1);
    expect(next.trouble).toBe("microphone");
    expect(step(next, { kind: "answers" }, 2_100, 1).trouble).toBe(null);
  });
});

describe("the quality of a call", () => {
  const clean = (atMs: number): Counted => ({
    atMs,
    received: atMs / 20,
    lost: 0,
    theirLoss: 0,
    roundTripMs: 40,
    spoken: atMs,
  });
  const ten = (of: (atMs: number) => Partial<Counted>) =>
    [0, 2_000, 4_000, 6_000, 8_000, 10_000].map((atMs) => ({ ...clean(atMs), ...of(atMs) }));

  it("is no word worth when all is well, or when little was counted", () => {
    expect(hint([], false)).toBe(null);
    expect(
      hint(
        ten(() => ({})),
        false,
      ),
    ).toBe(null);
    expect(hint([clean(0), { ...clean(4_000), lost: 100 }], false)).toBe(null);
  });

  it("says that packets are lost beyond three of a hundred, on either way", () => {
    // Of 500 that came in ten seconds.
    expect(
      hint(
        ten((atMs) => ({ lost: atMs / 1_000 })),
        false,
      ),
    ).toBe(null);
    expect(
      hint(
        ten((atMs) => ({ lost: (atMs / 1_000) * 2 })),
        false,
      ),
    ).toBe("losing");
    expect(
      hint(
        ten(() => ({ theirLoss: 0.04 })),
        false,
      ),
    ).toBe("losing");
  });

  it("says that there is a delay only where it is never short", () => {
    expect(
      hint(
        ten(() => ({ roundTripMs: 450 })),
        false,
      ),
    ).toBe("late");
    expect(
      hint(
        ten((atMs) => ({ roundTripMs: atMs === 0 ? 50 : 450 })),
        false,
      ),
    ).toBe(null);
  });

  it("says that the microphone gives nothing, unless it is muted", () => {
    expect(
      hint(
        ten(() => ({ spoken: 7 })),
        false,
      ),
    ).toBe("deaf");
    expect(
      hint(
        ten(() => ({ spoken: 7 })),
        true,
      ),
    ).toBe(null);
  });

  it("looks back for ten seconds", () => {
    const counted = ten(() => ({})).reduce(counting, [] as readonly Counted[]);
    expect(counting(counted, clean(12_000)).map(({ atMs }) => atMs)).toEqual([
      2_000, 4_000, 6_000, 8_000, 10_000, 12_000,
    ]);
  });
});
