// Voice notes as telephones make them: Opus in Ogg. Browsers that record Opus in WebM have it packed anew,
// packet by packet; nothing is encoded again.
'use strict';

const OGG_CRC = Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum >>> 0;
});

/** A page of Ogg (RFC 3533 section 6) with one packet. `granule`: samples at 48 kHz up to its end. */
function oggPage(packet, serial, sequence, granule, flags) {
  const lacing = [];
  for (let left = packet.length; ; left -= 255) {
    lacing.push(Math.min(left, 255));
    if (left < 255) break;
  }
  const page = new Uint8Array(27 + lacing.length + packet.length);
  const view = new DataView(page.buffer);
  page.set([0x4f, 0x67, 0x67, 0x53, 0, flags]);
  view.setBigUint64(6, BigInt(granule), true);
  view.setUint32(14, serial, true);
  view.setUint32(18, sequence, true);
  page[26] = lacing.length;
  page.set(lacing, 27);
  page.set(packet, 27 + lacing.length);
  let sum = 0;
  for (const byte of page) sum = ((sum << 8) ^ OGG_CRC[((sum >>> 24) ^ byte) & 0xff]) >>> 0;
  view.setUint32(22, sum, true);
  return page;
}

/** How many samples at 48 kHz a packet of Opus holds (RFC 6716 section 3.1). */
function opusSamples(packet) {
  const config = packet[0] >> 3;
  const frame = config < 12 ? [480, 960, 1920, 2880][config & 3] : config < 16 ? [480, 960][config & 1] : [120, 240, 480, 960][config & 3];
  const code = packet[0] & 3;
  return frame * (code === 0 ? 1 : code === 3 ? packet[1] & 63 : 2);
}

/** The packets in a WebM file, and the head of Opus in it. */
function webmOpus(bytes) {
  const packets = [];
  let head = null;
  const vint = (at, keep) => {
    let length = 1;
    while (length <= 8 && !(bytes[at] & (0x80 >> (length - 1)))) length += 1;
    let value = keep ? bytes[at] : bytes[at] & (0xff >> length);
    let unknown = (bytes[at] & (0xff >> length)) === (0xff >> length);
    for (let more = 1; more < length; more += 1) {
      value = value * 256 + bytes[at + more];
      unknown = unknown && bytes[at + more] === 0xff;
    }
    return { value, length, unknown };
  };
  const inside = new Set([0x18538067, 0x1f43b675, 0x1654ae6b, 0xae, 0xa0]);
  const walk = (from, to) => {
    for (let at = from; at < to;) {
      const id = vint(at, true);
      const size = vint(at + id.length, false);
      const start = at + id.length + size.length;
      const end = size.unknown ? to : Math.min(start + size.value, to);
      if (inside.has(id.value)) walk(start, end);
      else if (id.value === 0x63a2) head = bytes.slice(start, end);
      else if (id.value === 0xa3 || id.value === 0xa1) packets.push(bytes.slice(start + vint(start, false).length + 3, end));
      at = end;
    }
  };
  walk(0, bytes.length);
  return { head, packets };
}

/** The same sound in Ogg. */
function toOgg(bytes) {
  const { head, packets } = webmOpus(bytes);
  const serial = (Math.random() * 0xffffffff) >>> 0;
  const usual = new Uint8Array([0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64, 1, 1, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0]);
  const maker = new TextEncoder().encode('ramal-sim');
  const tags = new Uint8Array(8 + 4 + maker.length + 4);
  tags.set(new TextEncoder().encode('OpusTags'));
  new DataView(tags.buffer).setUint32(8, maker.length, true);
  tags.set(maker, 12);
  const pages = [oggPage(head || usual, serial, 0, 0, 2), oggPage(tags, serial, 1, 0, 0)];
  let granule = 0;
  packets.forEach((packet, at) => {
    granule += opusSamples(packet);
    pages.push(oggPage(packet, serial, at + 2, granule, at === packets.length - 1 ? 4 : 0));
  });
  return new Blob(pages, { type: 'audio/ogg; codecs=opus' });
}

/** Records from the microphone. `stop` gives the voice note. */
async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const ogg = MediaRecorder.isTypeSupported('audio/ogg;codecs=opus');
  const recorder = new MediaRecorder(stream, { mimeType: ogg ? 'audio/ogg;codecs=opus' : 'audio/webm;codecs=opus' });
  const parts = [];
  recorder.addEventListener('dataavailable', (event) => parts.push(event.data));
  const ended = new Promise((done) => recorder.addEventListener('stop', done, { once: true }));
  recorder.start();
  return {
    async stop() {
      recorder.stop();
      await ended;
      stream.getTracks().forEach((track) => track.stop());
      const blob = new Blob(parts);
      return ogg ? new Blob([blob], { type: 'audio/ogg; codecs=opus' }) : toOgg(new Uint8Array(await blob.arrayBuffer()));
    },
  };
}
