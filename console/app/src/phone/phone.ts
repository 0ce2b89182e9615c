// The telephone of this window: the machine, with what it moves. JsSIP is loaded once there is somebody to be called.

import { api, asked, Refused } from "../api/client";
import { ring } from "./bell";
import { canTalk } from "./devices";
import { lay, muted, phone, quality, without } from "./handset";
import { begin, deadline, type Happening, type Phone, step } from "./machine";
import { type Counted, counting, hint } from "./quality";
import type { Wire } from "./wire";

/** Of all windows of a browser one is the telephone. */
const LOCK = "ramal.phone";

/** How often is counted how well one hears, in milliseconds. */
const COUNT_EVERY_MS = 2_000;

/** Makes this window the telephone, unless another one is, until what is returned is called. */
export function have(): () => void {
  if (!canTalk()) {
    without.set("insecure");
    return () => without.set(null);
  }
  const over = new AbortController();
  without.set("elsewhere");
  navigator.locks
    .request(LOCK, { signal: over.signal }, () => {
      // Who left while the lock was on its way wants it no more.
      if (over.signal.aborted) return;
      without.set(null);
      return run(over.signal);
    })
    // Who was cancelled while they waited is told so by an error.
    .catch(() => {});
  return () => {
    over.abort();
    without.set(null);
  };
}

/** Is the telephone until the signal. */
function run(over: AbortSignal): Promise<void> {
  let timer = 0;
  let silence: (() => void) | null = null;
  let counter = 0;
  let now: Wire | null = null;

  const happens = (what: Happening) => {
    const before = phone.now();
    if (before === null || over.aborted) return;
    const after = step(before, what, Date.now(), Math.random());
    phone.set(after);
    if (after.line !== before.line) onLine(before, after);
    if (after.leg !== before.leg) onLeg(before, after);
    clearTimeout(timer);
    const wait = deadline(after) - Date.now();
    if (Number.isFinite(wait)) timer = window.setTimeout(tick, Math.max(wait, 50));
  };
  const tick = () => happens({ kind: "tick" });

  const onLine = (before: Phone, after: Phone) => {
    if (after.line.is === "opening") void open();
    // A call that goes on is kept: its sound needs no registration.
    else if (after.line.is === "waiting" && after.leg.is === "none") close();
    else if (after.line.is === "refused") close();
    else if (after.line.is === "ready" && before.line.is !== "ready") now?.renew();
  };

  const onLeg = (before: Phone, after: Phone) => {
    if (before.leg.is === "ringing") silence?.();
    if (after.leg.is === "ringing") silence = ring();
    if (after.leg.is === "answering") now?.answer(after.leg.id);
    if (after.leg.is === "talking") counter = count(() => now?.count());
    if (after.leg.is === "none") {
      clearInterval(counter);
      quality.set(null);
      muted.set(false);
    }
  };

  const close = () => {
    const old = now;
    now = null;
    old?.close();
  };

  const open = async () => {
    // What one talks on is told by JsSIP itself, which connects again.
    if (now !== null && phone.now()?.leg.is !== "none") return;
    close();
    try {
      const [account, { wire }] = await Promise.all([
        asked(api.POST("/api/v1/agents/me/softphone")),
        import("./wire"),
      ]);
      if (over.aborted || now !== null) return;
      now = wire(account, happens);
    } catch (error) {
      const isFinal = error instanceof Refused && error.status >= 400 && error.status < 500;
      happens({ kind: "unregistered", isFinal });
    }
  };

  const woke = () => {
    if (document.visibilityState === "visible") happens({ kind: "woke" });
  };
  window.addEventListener("online", woke);
  document.addEventListener("visibilitychange", woke);
  phone.set(begin(Date.now()));
  lay({
    answer: () => happens({ kind: phone.now()?.leg.is === "ringing" ? "answers" : "awaits" }),
    expect: () => happens({ kind: "awaits" }),
    expectNobody: () => happens({ kind: "expects nobody" }),
    hangUp: () => {
      const leg = phone.now()?.leg;
      if (leg !== undefined && leg.is !== "none") now?.end(leg.id);
    },
    mute: (isMuted) => {
      muted.set(isMuted);
      now?.mute(isMuted);
    },
  });
  void open();
  timer = window.setTimeout(tick, deadline(begin(Date.now())) - Date.now());

  return new Promise((resolve) => {
    over.addEventListener("abort", () => {
      window.removeEventListener("online", woke);
      document.removeEventListener("visibilitychange", woke);
      clearTimeout(timer);
      clearInterval(counter);
      silence?.();
      close();
      quality.set(null);
      phone.set(null);
      lay(null);
      resolve();
    });
  });
}

/** Counts how well one hears, for as long as one talks. */
function count(ask: () => Promise<Counted | null> | undefined): number {
  let counts: readonly Counted[] = [];
  return window.setInterval(async () => {
    const fresh = await ask()?.catch(() => null);
    if (fresh == null) return;
    counts = counting(counts, fresh);
    quality.set(hint(counts, muted.now()));
  }, COUNT_EVERY_MS);
}
