// The telephone as pages see it and take it in hand. What moves it is loaded once there is somebody to be called.

import { store } from "../live/store";
import type { Phone } from "./machine";
import type { Hint } from "./quality";

/** The telephone; nothing where this window is none. */
export const phone = store<Phone | null>(null);

/** Why this window is none: another one is, or the browser cannot. */
export const without = store<"elsewhere" | "insecure" | null>(null);

/** Whether somebody who takes no work wants this window to be a telephone all the same: to call and listen. */
export const wanted = store(false);

/** Whether what is said here stays on this machine. */
export const muted = store(false);

/** What is wrong with the sound of the call that runs. */
export const quality = store<Hint | null>(null);

export type Handset = {
  /** Takes what rings; where it does not ring yet, as soon as it does. */
  readonly answer: () => void;
  /** Turns away what rings, or leaves the call. */
  readonly hangUp: () => void;
  /** Keeps what is said here on this machine, or lets it go again. */
  readonly mute: (isMuted: boolean) => void;
  /** What rings next was asked for: it is taken by itself. */
  readonly expect: () => void;
  /** What was asked for does not come. */
  readonly expectNobody: () => void;
};

let handset: Handset | null = null;

/** From here on this is the telephone; or there is none. */
export function lay(fresh: Handset | null): void {
  handset = fresh;
}

/** A telephone that is no telephone by then will not be one, in milliseconds. */
const READY_MAX_MS = 10_000;

/** Has this window be a telephone, whoever is here: from then on it can be called. */
export function ready(): Promise<void> {
  wanted.set(true);
  return new Promise((resolve, reject) => {
    const over = (end: () => void) => {
      clearTimeout(timer);
      drop();
      end();
    };
    const look = () => {
      const line = phone.now()?.line.is;
      if (line === "ready") over(resolve);
      if (line === "refused") over(() => reject(new Error("the telephone is refused")));
    };
    const timer = setTimeout(() => over(() => reject(new Error("no telephone"))), READY_MAX_MS);
    const drop = phone.heard(look);
    look();
  });
}

export const answer = () => handset?.answer();
export const hangUp = () => handset?.hangUp();
export const mute = (isMuted: boolean) => handset?.mute(isMuted);
export const expect = () => handset?.expect();
export const expectNobody = () => handset?.expectNobody();
