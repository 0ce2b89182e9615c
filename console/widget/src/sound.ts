// Two soft tones for a message that came. Made here: no file to fetch.

let context: AudioContext | undefined;

/** A browser lets a page sound only once somebody touched it: call this from such an event. */
export function allowSound(): void {
  try {
    context ??= new AudioContext();
    void context.resume();
  } catch {
    // No sound here.
  }
}

export function chime(): void {
  if (context?.state !== "running") return;
  for (const [hertz, after] of [
    [659, 0],
    [880, 0.12],
  ] as const) {
    const start = context.currentTime + after;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.08, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.3);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.32);
  }
}
