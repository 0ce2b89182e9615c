// An agent's phone in a page: it registers, does what the test orders, and tells what happens.
"use strict";

const asked = new URLSearchParams(location.search);
const codec = asked.get("codec");

function tell(event, detail = {}) {
  fetch("/told", { method: "POST", body: JSON.stringify({ event, ...detail }) });
}

window.onerror = (text) => tell("error", { text: String(text) });
window.onunhandledrejection = (event) => tell("error", { text: String(event.reason) });

// Offers the codec of the test and keys, and nothing else.
const createOffer = RTCPeerConnection.prototype.createOffer;
RTCPeerConnection.prototype.createOffer = function (...how) {
  const all = RTCRtpReceiver.getCapabilities("audio").codecs;
  for (const transceiver of this.getTransceivers()) {
    transceiver.setCodecPreferences(all.filter(({ mimeType }) => isWanted(mimeType.split("/")[1])));
  }
  return createOffer.apply(this, how);
};

function isWanted(name) {
  return [codec, "telephone-event"].some((one) => one.toLowerCase() === name.toLowerCase());
}

// What is left of an offer for a browser that speaks nothing else.
function narrowed(sdp) {
  const maps = [...sdp.matchAll(/^a=rtpmap:(\d+) ([^/]+)/gm)];
  const kept = maps.filter(([, , name]) => isWanted(name)).map(([, type]) => type);
  const isKept = (line) => {
    const type = /^a=(?:rtpmap|fmtp):(\d+) /.exec(line)?.[1];
    return type === undefined || kept.includes(type);
  };
  const lines = sdp.split("\r\n").filter(isKept);
  return lines.join("\r\n").replace(/^(m=audio \d+ \S+).*$/m, `$1 ${kept.join(" ")}`);
}

const JsSIP = load("jssip", "/");
const socket = new JsSIP.WebSocketInterface(asked.get("socket"));
const phone = new JsSIP.UA({
  sockets: [socket],
  uri: `sip:${asked.get("user")}@${asked.get("host")}`,
  password: asked.get("password"),
  session_timers: false,
});
const options = {
  // What would be taken for noise is all that is said here.
  mediaConstraints: {
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    video: false,
  },
  pcConfig: { iceServers: [] },
};
let session = null;

// Keeps the last half second of what comes out.
const sound = new AudioContext({ sampleRate: 16000 });
const memory = new AnalyserNode(sound, { fftSize: 8192 });

phone.on("registered", () => tell("registered"));
phone.on("registrationFailed", ({ cause }) => tell("registrationFailed", { cause }));
phone.on("disconnected", () => tell("disconnected"));
phone.on("newRTCSession", (made) => {
  session = made.session;
  if (made.originator === "remote") tell("incoming");
  const hear = (connection) =>
    connection.addEventListener("track", ({ track }) => {
      const stream = new MediaStream([track]);
      document.getElementById("heard").srcObject = stream;
      sound.createMediaStreamSource(stream).connect(memory);
    });
  if (session.connection) hear(session.connection);
  session.on("peerconnection", ({ peerconnection }) => hear(peerconnection));
  session.on("sdp", (told) => {
    if (told.originator === "remote" && told.type === "offer") told.sdp = narrowed(told.sdp);
  });
  session.on("confirmed", () => tell("confirmed"));
  session.on("ended", ({ cause }) => tell("ended", { cause }));
  session.on("failed", ({ cause }) => tell("failed", { cause }));
});

async function stats() {
  const all = [...(await session.connection.getStats()).values()];
  const audio = (type) => all.find((one) => one.type === type && one.kind === "audio") ?? {};
  const [inbound, outbound] = [audio("inbound-rtp"), audio("outbound-rtp")];
  const codecs = all.filter((one) => one.type === "codec").map((one) => one.mimeType);
  const transport = all.find((one) => one.type === "transport") ?? {};
  tell("stats", {
    received: inbound.packetsReceived ?? 0,
    energy: inbound.totalAudioEnergy ?? 0,
    sent: outbound.packetsSent ?? 0,
    codecs,
    dtls: transport.dtlsState,
    version: transport.tlsVersion,
    srtp: transport.srtpCipher,
  });
}

function listen() {
  const samples = new Float32Array(memory.fftSize);
  memory.getFloatTimeDomainData(samples);
  tell("heard", { rate: sound.sampleRate, samples: Array.from(samples, (one) => Math.round(one * 32767)) });
}

// Begins a new offer, as soon as no other is under way, and tells when it is agreed on.
function agree(event, begin) {
  if (begin(() => tell(event)) === false) setTimeout(() => agree(event, begin), 100);
}

const orders = {
  call: ({ to }) => phone.call(to, options),
  answer: () => session.answer(options),
  press: ({ key }) => session.sendDTMF(key, { transportType: "RFC2833" }),
  hold: () => agree("held", (done) => session.hold({}, done)),
  resume: () => agree("resumed", (done) => session.unhold({}, done)),
  restart: () =>
    agree("restarted", (done) => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, done)),
  hangup: () => session.terminate(),
  listen,
  stats,
};

(async () => {
  phone.start();
  for (;;) {
    const answer = await fetch("/order");
    if (answer.status === 200) {
      const order = await answer.json();
      try {
        await orders[order.do](order);
      } catch (error) {
        tell("error", { text: String(error) });
      }
    }
  }
})();
