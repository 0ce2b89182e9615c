// A server without a network, as PROTOCOL.md has it: what tests and the page for developing talk to.

import type {
  Author,
  ClientFrame,
  Content,
  Message,
  Said,
  State,
  Survey,
} from "../src/protocol.ts";

type Sent = Extract<ClientFrame, { client_message_id: string }>;

/** One connection of the visitor. */
export interface Peer {
  transmit: (frame: object) => void;
  /** Up to which message it was told; nothing before `hello`. */
  cursor: number | undefined;
}

/** What a conversation needs of a channel. */
export interface ModelOptions {
  /** Numbers that the visitor is not told of, such as notes among agents. */
  hidden?: (seq: number) => boolean;
  survey?: Survey | null;
  file?: (upload: string) => Content;
}

const NOTHING: State = {
  version: 1,
  phase: "idle",
  interaction: null,
  protocol: null,
  service: null,
  position: null,
  wait_ms: null,
  agent: null,
  typing: false,
  read_seq: 0,
  open: true,
  opens_ms: null,
  away: null,
  survey: null,
};

/** A visitor and a company, who have one conversation. */
export class ModelServer {
  readonly messages: Message[] = [];
  readonly peers = new Set<Peer>();
  readonly seen = { delivered: 0, read: 0 };
  readonly asked: ClientFrame[] = [];
  state: State = { ...NOTHING };
  known: object = {};
  token = "token-1";
  /** Codes with which the next messages are refused. */
  readonly refuse: { code: string; fields?: string[]; retry_after_ms?: number }[] = [];
  #seq = 0;
  #clock: () => number;
  #options: ModelOptions;

  constructor(clock: () => number, options: ModelOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  join(transmit: Peer["transmit"]): Peer {
    const peer: Peer = { transmit, cursor: undefined };
    this.peers.add(peer);
    return peer;
  }

  leave(peer: Peer): void {
    this.peers.delete(peer);
  }

  handle(peer: Peer, frame: ClientFrame): void {
    this.asked.push(frame);
    switch (frame.type) {
      case "hello":
        this.#hello(peer, frame);
        break;
      case "identify":
        this.#hello(peer, { ...frame, type: "hello", v: 1, language: "", after_seq: 0 });
        break;
      case "resume":
        peer.cursor = frame.after_seq;
        this.#tell(peer);
        break;
      case "seen":
        this.seen.delivered = Math.max(this.seen.delivered, frame.delivered);
        this.seen.read = Math.max(this.seen.read, frame.read);
        break;
      case "history":
        this.#history(peer, frame.before_seq);
        break;
      case "typing":
        break;
      case "send":
      case "survey":
      case "transcript":
      case "close":
        this.#sent(peer, frame);
        break;
    }
  }

  /** The company writes. */
  say(author: Author, content: Content): void {
    this.#append(author, content);
    this.#tellAll();
  }

  /** Something is so from now on. */
  is(now: Partial<State>): void {
    this.state = { ...this.state, ...now, version: this.state.version + 1 };
    for (const peer of this.peers) {
      if (peer.cursor !== undefined) peer.transmit({ type: "state", ...this.state });
    }
  }

  get visible(): Message[] {
    return this.messages.filter(({ seq }) => !this.#options.hidden?.(seq));
  }

  #hello(peer: Peer, frame: Extract<ClientFrame, { type: "hello" }>): void {
    if (frame.token !== undefined && frame.token !== this.token) {
      peer.transmit({ type: "error", code: "token" });
      return;
    }
    const conversation = this.messages.length > 0 ? CONVERSATION : null;
    peer.transmit({
      type: "welcome",
      v: 1,
      token: this.token,
      visitor: "v",
      conversation,
      last_seq: this.visible.at(-1)?.seq ?? 0,
      known: this.known,
      identified: frame.identity !== undefined,
      now_ms: this.#clock(),
    });
    peer.transmit({ type: "state", ...this.state });
    peer.cursor = frame.conversation === CONVERSATION || !frame.conversation ? frame.after_seq : 0;
    this.#tell(peer);
  }

  #history(peer: Peer, before: number): void {
    const older = this.visible.filter(({ seq }) => seq < before);
    const messages = older.slice(-PAGE);
    const more = older.length > messages.length;
    peer.transmit({ type: "history", before, messages, more });
  }

  #sent(peer: Peer, frame: Sent): void {
    const { client_message_id } = frame;
    const same = this.messages.find((one) => one.client_message_id === client_message_id);
    const refusal = same ? undefined : this.refuse.shift();
    if (refusal) {
      peer.transmit({ type: "error", client_message_id, ...refusal });
      return;
    }
    if (frame.type === "send" && !same) {
      const isOver = this.state.phase === "idle" || this.state.phase === "closed";
      if (isOver) this.is({ phase: "waiting", interaction: `i${this.#seq + 1}`, survey: null });
      this.#append({ kind: "visitor" }, this.#content(frame.content), client_message_id);
    }
    if (frame.type === "close" && this.state.phase !== "closed") {
      this.is({ phase: "closed", agent: null, survey: this.#options.survey ?? null });
    }
    if (frame.type === "survey") this.is({ survey: null });
    const kept = this.messages.find((one) => one.client_message_id === client_message_id);
    peer.transmit({ type: "ack", client_message_id, seq: kept?.seq, at_ms: this.#clock() });
    this.#tellAll();
  }

  #content(said: Said): Content {
    switch (said.kind) {
      case "text":
        return said;
      case "choice":
        return { kind: "choice", id: said.id, title: said.title };
      case "file":
        return this.#options.file?.(said.upload) ?? { kind: "unsupported" };
    }
  }

  #append(author: Author, content: Content, client_message_id?: string): void {
    do this.#seq += 1;
    while (this.#options.hidden?.(this.#seq));
    this.messages.push({
      seq: this.#seq,
      id: `m${this.#seq}`,
      interaction: this.state.interaction ?? "i0",
      at_ms: this.#clock(),
      author,
      content,
      ...(client_message_id === undefined ? {} : { client_message_id }),
    });
  }

  #tellAll(): void {
    for (const peer of this.peers) this.#tell(peer);
  }

  #tell(peer: Peer): void {
    if (peer.cursor === undefined) return;
    let after = peer.cursor;
    let messages = this.visible.filter(({ seq }) => seq > after);
    const isFresh = after === 0;
    const reset = !isFresh && messages.length > AWAY_MAX;
    if (isFresh || reset) {
      messages = messages.slice(-PAGE);
      after = this.visible.filter(({ seq }) => seq < (messages[0]?.seq ?? 0)).at(-1)?.seq ?? 0;
    }
    const last = messages.at(-1);
    if (!last) return;
    peer.cursor = last.seq;
    peer.transmit({ type: "messages", conversation: CONVERSATION, after, messages, reset });
  }
}

const CONVERSATION = "c1";
const PAGE = 50;
const AWAY_MAX = 200;
