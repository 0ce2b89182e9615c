// When the one socket is opened, given up and opened again. No socket and no clock in here: what happened
// and when goes in, what to do comes out.

export type Link =
  /** On its way. */
  | { readonly is: "opening"; readonly attempt: number; readonly since: number }
  /** Something came at `heard`. */
  | { readonly is: "open"; readonly heard: number }
  /** Opened again at `until`. */
  | { readonly is: "waiting"; readonly attempt: number; readonly until: number }
  /** The program has us no more: one must log in. */
  | { readonly is: "over" };

export type Happening =
  | { readonly kind: "heard" }
  | { readonly kind: "closed"; readonly code: number }
  /** Time has passed. */
  | { readonly kind: "tick" }
  /** The network is there again, or the page is looked at again. */
  | { readonly kind: "woke" };

/** Whoever may not watch any more is told so. */
const NOT_ANY_MORE = 4003;

/** A socket that needs longer leads nowhere, in milliseconds. */
const OPENING_MAX = 10_000;

/** The program says every 25 seconds that it lives; two of these are missing. In milliseconds. */
const SILENCE_MAX = 60_000;

/** After a standby a socket may look open and be dead: it has missed one sign of life. In milliseconds. */
const DOUBT_AFTER = 30_000;

/** The first pause before another attempt; each next is twice as long, up to the last. In milliseconds. */
const PAUSE_MIN = 500;
const PAUSE_MAX = 15_000;

export function begin(now: number): Link {
  return { is: "opening", attempt: 0, since: now };
}

/** How it is after `what`. `chance`, from 0 to 1, keeps those who were cut at once from coming at once. */
export function step(link: Link, what: Happening, now: number, chance: number): Link {
  if (link.is === "over") return link;
  switch (what.kind) {
    case "heard":
      return { is: "open", heard: now };
    case "closed":
      if (what.code === NOT_ANY_MORE) return { is: "over" };
      return link.is === "waiting" ? link : later(link, now, chance);
    case "tick":
      return link.is === "waiting" && link.until <= now
        ? { is: "opening", attempt: link.attempt, since: now }
        : dead(link, now, SILENCE_MAX)
          ? later(link, now, chance)
          : link;
    case "woke":
      return link.is === "waiting" || dead(link, now, DOUBT_AFTER) ? begin(now) : link;
  }
}

/** When to look again, where nothing happens before. */
export function deadline(link: Link): number {
  switch (link.is) {
    case "opening":
      return link.since + OPENING_MAX;
    case "open":
      return link.heard + SILENCE_MAX;
    case "waiting":
      return link.until;
    case "over":
      return Number.POSITIVE_INFINITY;
  }
}

function dead(link: Link, now: number, silence: number): boolean {
  return (
    (link.is === "open" && now - link.heard >= silence) ||
    (link.is === "opening" && now - link.since >= OPENING_MAX)
  );
}

function later(link: Link, now: number, chance: number): Link {
  const attempt = link.is === "opening" ? link.attempt : 0;
  const pause = Math.min(PAUSE_MIN * 2 ** attempt, PAUSE_MAX);
  return {
    is: "waiting",
    attempt: attempt + 1,
    until: now + Math.round(pause * (0.5 + chance / 2)),
  };
}
