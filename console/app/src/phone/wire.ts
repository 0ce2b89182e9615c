// The one file that knows JsSIP: it registers, rings, talks, and tells the machine what happened.

import { UA, WebSocketInterface } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { RTCSessionEvent } from "jssip/lib/UA";
import type { Schemas } from "../api/client";
import { chosen, direct, microphone } from "./devices";
import { type Happening, HOLDS_S, type Trouble } from "./machine";
import type { Counted } from "./quality";

export type Account = Schemas["Softphone"];

export type Wire = {
  readonly answer: (id: string) => void;
  /** Turns away what rings, or ends what is talked. */
  readonly end: (id: string) => void;
  readonly mute: (isMuted: boolean) => void;
  /** Nothing where no sound runs. */
  readonly count: () => Promise<Counted | null>;
  /** The network may be another one: sound finds its way anew. */
  readonly renew: () => void;
  readonly close: () => void;
};

/** Who is busy says so. */
const BUSY = 486;
const NOT_NOW = 480;

/** A request of ours, as far as it matters. JsSIP tells of the first registration alone: that one after it was
 *  answered is seen here. */
type Transaction = {
  readonly request: { readonly method: string };
  readonly state: number;
  readonly C: { readonly STATUS_COMPLETED: number };
  readonly on: (what: "stateChanged", does: () => void) => void;
};

type TellsOfTransactions = {
  readonly on: (what: "newTransaction", does: (told: { transaction: Transaction }) => void) => void;
};

type Talk = {
  readonly session: RTCSession;
  readonly sound: HTMLAudioElement;
  voice: MediaStream | null;
  isMuted: boolean;
};

export function wire(account: Account, happened: (what: Happening) => void): Wire {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const ua = new UA({
    sockets: [new WebSocketInterface(`${scheme}://${location.host}/sip`)],
    uri: `sip:${account.username}@${location.hostname}`,
    password: account.password,
    display_name: account.display_name,
    register_expires: HOLDS_S,
    session_timers: false,
    user_agent: "Ramal",
  });
  let talk: Talk | null = null;
  let isClosed = false;
  // What becomes of a line that was given up says nothing of the one after it.
  const tell = (what: Happening) => {
    if (!isClosed) happened(what);
  };

  ua.on("registered", () => tell({ kind: "registered" }));
  (ua as unknown as TellsOfTransactions).on("newTransaction", ({ transaction }) => {
    if (transaction.request.method !== "REGISTER") return;
    transaction.on("stateChanged", () => {
      if (transaction.state === transaction.C.STATUS_COMPLETED) tell({ kind: "heard" });
    });
  });
  ua.on("registrationFailed", ({ response }) => {
    const status = response?.status_code ?? 0;
    tell({ kind: "unregistered", isFinal: status === 403 || status === 404 });
  });
  ua.on("disconnected", () => tell({ kind: "unregistered", isFinal: false }));
  ua.on("newRTCSession", ({ originator, session }: RTCSessionEvent) => {
    if (originator !== "remote") return;
    if (talk !== null) session.terminate({ status_code: BUSY });
    else begin(session);
  });

  const begin = (session: RTCSession) => {
    const own: Talk = { session, sound: new Audio(), voice: null, isMuted: false };
    talk = own;
    own.sound.autoplay = true;
    const over = (trouble: Trouble | null) => {
      if (talk === own) talk = null;
      own.sound.srcObject = null;
      for (const track of own.voice?.getTracks() ?? []) track.stop();
      happened({ kind: "ended", id: session.id, trouble });
    };
    session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => {
      peerconnection.addEventListener("track", ({ track }) => {
        own.sound.srcObject = new MediaStream([track]);
        void direct(own.sound, "speaker");
      });
    });
    session.on("confirmed", () => happened({ kind: "answered", id: session.id }));
    session.on("ended", () => over(null));
    session.on("failed", ({ cause }: { cause: string }) => {
      if (own.voice === null && cause === MICROPHONE) over("microphone");
      else over(MEDIA.has(cause) ? "media" : null);
    });
    const { display_name, uri } = session.remote_identity;
    happened({ kind: "rings", id: session.id, from: display_name || uri.user || "" });
  };

  const answer = async (id: string) => {
    const own = talk;
    if (own?.session.id !== id || own.voice !== null) return;
    try {
      own.voice = await microphone();
    } catch {
      own.session.emit("failed", { cause: MICROPHONE });
      own.session.terminate({ status_code: NOT_NOW });
      return;
    }
    if (own.session.isEnded()) return;
    own.session.answer({ mediaStream: own.voice, pcConfig: { iceServers: [] } });
  };

  const listeners = [
    chosen.heard(() => {
      if (talk !== null) void change(talk);
    }),
  ];

  ua.start();
  return {
    answer: (id) => void answer(id),
    end: (id) => {
      const session = talk?.session;
      if (session?.id !== id || session.isEnded()) return;
      session.terminate(session.isEstablished() ? {} : { status_code: BUSY });
    },
    mute: (isMuted) => {
      if (talk === null) return;
      talk.isMuted = isMuted;
      for (const track of talk.voice?.getTracks() ?? []) track.enabled = !isMuted;
    },
    count: async () => (talk?.session.isEstablished() ? counted(talk.session.connection) : null),
    renew: () => {
      const session = talk?.session;
      if (!session?.isEstablished()) return;
      session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
    },
    close: () => {
      isClosed = true;
      for (const drop of listeners) drop();
      ua.stop();
    },
  };
}

/** Ours, beside what JsSIP calls its causes. */
const MICROPHONE = "microphone";

/** What JsSIP says where sound found no way. */
const MEDIA = new Set(["Bad Media Description", "RTP Timeout", "WebRTC Error"]);

/** Another device was chosen while one talks. */
async function change(talk: Talk): Promise<void> {
  await direct(talk.sound, "speaker");
  if (talk.voice === null) return;
  const fresh = await microphone().catch(() => null);
  const [track] = fresh?.getAudioTracks() ?? [];
  if (fresh === null || track === undefined) return;
  track.enabled = !talk.isMuted;
  const senders = (talk.session.connection as RTCPeerConnection).getSenders();
  await senders.find((one) => one.track?.kind === "audio")?.replaceTrack(track);
  for (const old of talk.voice.getTracks()) old.stop();
  talk.voice = fresh;
}

async function counted(connection: unknown): Promise<Counted> {
  const all = [...(await (connection as RTCPeerConnection).getStats()).values()];
  const of = (type: string) => all.find((one) => one.type === type && one.kind === "audio") ?? {};
  const inbound = of("inbound-rtp");
  const theirs = of("remote-inbound-rtp");
  return {
    atMs: Date.now(),
    received: inbound.packetsReceived ?? 0,
    lost: inbound.packetsLost ?? 0,
    theirLoss: theirs.fractionLost ?? 0,
    roundTripMs: (theirs.roundTripTime ?? 0) * 1_000,
    spoken: of("media-source").totalAudioEnergy ?? 0,
  };
}
