// Sound as a file: a recording that was cut is laid down as WAV, which loses nothing.

/** The samples between two moments, in seconds, mixed to one channel: callers hear one. */
export function cut(
  channels: readonly Float32Array[],
  rate: number,
  from: number,
  to: number,
): Float32Array {
  const length = channels[0]?.length ?? 0;
  const first = Math.max(0, Math.min(length, Math.round(from * rate)));
  const last = Math.max(first, Math.min(length, Math.round(to * rate)));
  const mixed = new Float32Array(last - first);
  for (const channel of channels) {
    for (let at = first; at < last; at += 1) {
      mixed[at - first] = (mixed[at - first] ?? 0) + (channel[at] ?? 0) / channels.length;
    }
  }
  return mixed;
}

const HEADER_BYTES = 44;
const SAMPLE_BYTES = 2;

/** One channel of 16 bits as a WAV file. */
export function wav(samples: Float32Array, rate: number): ArrayBuffer {
  const bytes = samples.length * SAMPLE_BYTES;
  const file = new DataView(new ArrayBuffer(HEADER_BYTES + bytes));
  const text = (at: number, letters: string) =>
    [...letters].forEach((letter, place) => {
      file.setUint8(at + place, letter.charCodeAt(0));
    });
  text(0, "RIFF");
  file.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true); // PCM
  file.setUint16(22, 1, true); // one channel
  file.setUint32(24, rate, true);
  file.setUint32(28, rate * SAMPLE_BYTES, true);
  file.setUint16(32, SAMPLE_BYTES, true);
  file.setUint16(34, SAMPLE_BYTES * 8, true);
  text(36, "data");
  file.setUint32(40, bytes, true);
  samples.forEach((sample, place) => {
    const held = Math.max(-1, Math.min(1, sample));
    file.setInt16(HEADER_BYTES + place * SAMPLE_BYTES, Math.round(held * 0x7fff), true);
  });
  return file.buffer;
}

/** How loud a recording is beside the others, by its loudness in LUFS. */
export function loudness(lufs: number): "low" | "good" | "high" {
  if (lufs < QUIET_LUFS) return "low";
  return lufs > LOUD_LUFS ? "high" : "good";
}

/** Below this what is raised brings its noise along. */
const QUIET_LUFS = -32;

/** Above this a recording was made so loud that it may be distorted. */
const LOUD_LUFS = -9;
