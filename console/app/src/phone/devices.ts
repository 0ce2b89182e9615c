// Which microphone, which headset and which bell: chosen once on this machine, and gone without when they are not plugged in.

import { type Store, store } from "../live/store";

/** What a sound comes from or goes to. */
export type Use = "microphone" | "speaker" | "bell";

/** The ids that the browser gives them; empty is whatever the system prefers. */
export type Chosen = Readonly<Record<Use, string>>;

const KEPT = "ramal.devices";

const SYSTEMS: Chosen = { microphone: "", speaker: "", bell: "" };

export const chosen: Store<Chosen> = store(kept());

export function choose(use: Use, id: string): void {
  chosen.set({ ...chosen.now(), [use]: id });
  localStorage.setItem(KEPT, JSON.stringify(chosen.now()));
}

function kept(): Chosen {
  try {
    return { ...SYSTEMS, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return SYSTEMS;
  }
}

/** Whether this browser can be a telephone: it gives a microphone to pages that nobody can have changed on the way. */
export function canTalk(): boolean {
  return navigator.mediaDevices !== undefined && navigator.locks !== undefined;
}

/** The microphone that was chosen, or another where it is not there. */
export function microphone(): Promise<MediaStream> {
  const { microphone: id } = chosen.now();
  return navigator.mediaDevices.getUserMedia({
    audio: {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(id === "" ? {} : { deviceId: { ideal: id } }),
    },
  });
}

/** Has a sound come out where it was chosen to; where that is not there, where the system prefers. */
export async function direct(sound: HTMLMediaElement, use: "speaker" | "bell"): Promise<void> {
  if (!("setSinkId" in sound)) return;
  await sound.setSinkId(chosen.now()[use]).catch(() => sound.setSinkId(""));
}
