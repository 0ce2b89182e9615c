// The telephone in the window: whether it can be called, and the one call that it is in. No browser in here:
// what happened and when goes in, what to do follows from what comes out.

/** Whether calls can arrive. */
export type Line =
  /** On its way to the program. */
  | { readonly is: "opening"; readonly attempt: number; readonly since: number }
  /** The program has known at `heard` where we are. */
  | { readonly is: "ready"; readonly heard: number }
  /** Tried again at `until`. */
  | { readonly is: "waiting"; readonly attempt: number; readonly until: number }
  /** The program does not take us: trying again changes nothing. */
  | { readonly is: "refused" };

/** The call that it is in. */
export type Leg =
  | { readonly is: "none" }
  | { readonly is: "ringing"; readonly id: string; readonly from: string; readonly since: number }
  /** It was taken, and nobody is heard yet. */
  | { readonly is: "answering"; readonly id: string; readonly from: string }
  | { readonly is: "talking"; readonly id: string; readonly from: string; readonly since: number };

export type Phone = {
  readonly line: Line;
  readonly leg: Leg;
  /** Until when a call that rings is one that we asked for: it is taken by itself. */
  readonly awaits: number;
  /** Why the last call did not come about, where that is ours to mend. */
  readonly trouble: Trouble | null;
};

export type Trouble = "microphone" | "media";

export type Happening =
  | { readonly kind: "registered" }
  /** The program answered when it was told anew where we are. */
  | { readonly kind: "heard" }
  /** The program said no, or nobody was reached. */
  | { readonly kind: "unregistered"; readonly isFinal: boolean }
  | { readonly kind: "tick" }
  /** The network is there again, or the page is looked at again. */
  | { readonly kind: "woke" }
  /** We ask to be called: the next that rings is meant. */
  | { readonly kind: "awaits" }
  /** Nobody will call: what rings next is somebody else. */
  | { readonly kind: "expects nobody" }
  | { readonly kind: "rings"; readonly id: string; readonly from: string }
  | { readonly kind: "answers" }
  | { readonly kind: "answered"; readonly id: string }
  | { readonly kind: "ended"; readonly id: string; readonly trouble: Trouble | null };

/** A registration that needs longer leads nowhere, in milliseconds. */
const OPENING_MAX = 12_000;

/** How long a registration holds; it is made anew between half and three quarters of it. In seconds. */
export const HOLDS_S = 120;

/** After a standby the socket may look open and be dead: a registration was missed. In milliseconds. */
const DOUBT_AFTER = 95_000;

/** Nothing was heard for longer than a registration holds. In milliseconds. */
const SILENCE_MAX = HOLDS_S * 1_000;

/** How long after one has dialled one's own phone may take to ring, in milliseconds. */
const AWAITS_MAX = 15_000;

/** The first pause before another attempt; each next is twice as long, up to the last. In milliseconds. */
const PAUSE_MIN = 1_000;
const PAUSE_MAX = 20_000;

export function begin(now: number): Phone {
  return {
    line: { is: "opening", attempt: 0, since: now },
    leg: { is: "none" },
    awaits: 0,
    trouble: null,
  };
}

/** How it is after `what`. `chance`, from 0 to 1, keeps those who were cut at once from coming at once. */
export function step(phone: Phone, what: Happening, now: number, chance: number): Phone {
  switch (what.kind) {
    case "registered":
    case "heard":
    case "unregistered":
    case "tick":
    case "woke": {
      const line = onLine(phone, what, now, chance);
      return line === phone.line ? phone : { ...phone, line };
    }
    case "awaits":
      return { ...phone, awaits: now + AWAITS_MAX };
    case "expects nobody":
      return { ...phone, awaits: 0 };
    case "rings":
      return rings(phone, what.id, what.from, now);
    case "answers": {
      const { leg } = phone;
      if (leg.is !== "ringing") return phone;
      return { ...phone, leg: { is: "answering", id: leg.id, from: leg.from }, trouble: null };
    }
    case "answered": {
      const { leg } = phone;
      if (leg.is !== "answering" || leg.id !== what.id) return phone;
      return { ...phone, leg: { ...leg, is: "talking", since: now } };
    }
    case "ended": {
      const { leg } = phone;
      if (leg.is === "none" || leg.id !== what.id) return phone;
      return { ...phone, leg: { is: "none" }, trouble: what.trouble };
    }
  }
}

/** When to look again, where nothing happens before. */
export function deadline({ line }: Phone): number {
  switch (line.is) {
    case "opening":
      return line.since + OPENING_MAX;
    case "ready":
      return line.heard + SILENCE_MAX;
    case "waiting":
      return line.until;
    case "refused":
      return Number.POSITIVE_INFINITY;
  }
}

function rings(phone: Phone, id: string, from: string, now: number): Phone {
  // Who talks is not called: the shell turns away what is not the call that it is in.
  if (phone.leg.is !== "none") return phone;
  if (now < phone.awaits) {
    return { ...phone, leg: { is: "answering", id, from }, awaits: 0, trouble: null };
  }
  return { ...phone, leg: { is: "ringing", id, from, since: now } };
}

type OfLine = Extract<
  Happening,
  { kind: "registered" | "heard" | "unregistered" | "tick" | "woke" }
>;

function onLine({ line, leg }: Phone, what: OfLine, now: number, chance: number): Line {
  if (line.is === "refused") return line;
  switch (what.kind) {
    case "registered":
      return { is: "ready", heard: now };
    case "heard":
      return line.is === "ready" ? { is: "ready", heard: now } : line;
    case "unregistered":
      if (what.isFinal) return { is: "refused" };
      return line.is === "waiting" ? line : later(line, now, chance);
    case "tick":
      if (line.is === "waiting" && line.until <= now) {
        return { is: "opening", attempt: line.attempt, since: now };
      }
      return dead(line, now, SILENCE_MAX) ? later(line, now, chance) : line;
    case "woke": {
      // A call that goes on is not cut for a doubt.
      const isDoubted = leg.is === "none" && dead(line, now, DOUBT_AFTER);
      return line.is === "waiting" || isDoubted ? { is: "opening", attempt: 0, since: now } : line;
    }
  }
}

function dead(line: Line, now: number, silence: number): boolean {
  return (
    (line.is === "ready" && now - line.heard >= silence) ||
    (line.is === "opening" && now - line.since >= OPENING_MAX)
  );
}

function later(line: Line, now: number, chance: number): Line {
  const attempt = line.is === "opening" ? line.attempt : 0;
  const pause = Math.min(PAUSE_MIN * 2 ** attempt, PAUSE_MAX);
  return {
    is: "waiting",
    attempt: attempt + 1,
    until: now + Math.round(pause * (0.5 + chance / 2)),
  };
}
