// The bell: made by the browser, so that there is nothing to load when somebody calls.

import { direct } from "./devices";

/** Two notes, a fourth apart, in hertz: heard beside voices, and no alarm. */
const NOTES = [587.33, 783.99] as const;

/** How long a note is, and from one ring to the next, in seconds. */
const NOTE_S = 0.22;
const EVERY_S = 3;

/** Rings until what is returned is called. */
export function ring(): () => void {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const sound = new Audio();
  sound.srcObject = out.stream;
  const play = () => {
    for (const [place, note] of [...NOTES, ...NOTES].entries()) {
      strike(context, out, note, context.currentTime + place * NOTE_S);
    }
  };
  // Where the browser lets no page sound that nobody has touched, the card and the notification are there.
  void direct(sound, "bell").then(() => sound.play().catch(() => {}));
  void context.resume().catch(() => {});
  play();
  const timer = setInterval(play, EVERY_S * 1_000);
  return () => {
    clearInterval(timer);
    sound.srcObject = null;
    void context.close().catch(() => {});
  };
}

function strike(context: AudioContext, out: AudioNode, note: number, at: number): void {
  const source = new OscillatorNode(context, { frequency: note, type: "triangle" });
  const loudness = new GainNode(context, { gain: 0 });
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(0.5, at + 0.015);
  loudness.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S * 1.6);
  source.connect(loudness).connect(out);
  source.start(at);
  source.stop(at + NOTE_S * 1.7);
}
