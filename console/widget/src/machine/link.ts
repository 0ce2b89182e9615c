// Whether and how we are connected. Pure: the time is told, chance is passed in, deadlines are data.

/** How frames travel. */
export type Way = "socket" | "poll";

/** Where the connection stands. Times are milliseconds. */
export type LinkState =
  /** Nobody needs it. */
  | { is: "off" }
  /** Tried again at `until`. */
  | { is: "waiting"; until: number }
  /** Asked for; `hello` was not said yet. */
  | { is: "opening"; way: Way; until: number }
  /** `hello` was said. */
  | { is: "greeting"; way: Way; until: number }
  /** `welcome` came; at `silent` it has been silent for too long. */
  | { is: "live"; way: Way; silent: number }
  /** For good, as far as this page goes. */
  | { is: "over"; why: string };

/** What the shell is to do. */
export type LinkOutput = { do: "connect"; way: Way } | { do: "hello" } | { do: "disconnect" };

/** The connection. */
export class Link {
  #state: LinkState = { is: "off" };
  #outputs: LinkOutput[] = [];
  /** Tries since it was last live. */
  #tries = 0;
  /** Sockets in a row that did not come to `welcome`. */
  #lame = 0;
  /** While polling: when a socket is tried again. */
  #socketAt = 0;
  /** Since when we are not live, where we should be. */
  #downSince: number | undefined;
  readonly #chance: () => number;

  /** `chance` gives numbers from 0 to 1, evenly. */
  constructor(chance: () => number) {
    this.#chance = chance;
  }

  get state(): LinkState {
    return this.#state;
  }

  get isLive(): boolean {
    return this.#state.is === "live";
  }

  /** Since when we have been trying in vain, if we have. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** It is needed from now on. */
  want(now: number): void {
    if (this.#state.is !== "off") return;
    this.#downSince = now;
    this.#connect(now);
  }

  /** The browser has a network again: no reason to wait. */
  handleOnline(now: number): void {
    if (this.#state.is !== "waiting") return;
    this.#tries = 0;
    this.#connect(now);
  }

  /** The page is seen again after it was replaced by another of the same visitor. */
  handleShown(now: number): void {
    if (this.#state.is === "over" && this.#state.why === "replaced") {
      this.#downSince = now;
      this.#connect(now);
    }
  }

  handleOpened(now: number): void {
    if (this.#state.is !== "opening") return;
    this.#state = { is: "greeting", way: this.#state.way, until: now + GREETING_MS };
    this.#outputs.push({ do: "hello" });
  }

  handleWelcome(now: number): void {
    if (this.#state.is !== "greeting" && this.#state.is !== "live") return;
    const { way } = this.#state;
    if (way === "socket") this.#lame = 0;
    if (this.#state.is === "greeting" && way === "poll") this.#socketAt = now + SOCKET_AGAIN_MS;
    this.#tries = 0;
    this.#downSince = undefined;
    this.#state = { is: "live", way, silent: now + SILENCE_MS };
  }

  /** Something came. */
  handleHeard(now: number): void {
    if (this.#state.is === "live") this.#state = { ...this.#state, silent: now + SILENCE_MS };
  }

  /** The connection is gone, or never was. */
  handleClosed(now: number): void {
    switch (this.#state.is) {
      case "opening":
      case "greeting":
      case "live":
        this.#lost(now, this.#state);
        return;
      case "off":
      case "waiting":
      case "over":
    }
  }

  /** Nothing more is to come of it; `why` is a code of the protocol. */
  end(why: string): void {
    if (this.#isUp()) this.#outputs.push({ do: "disconnect" });
    this.#state = { is: "over", why };
    this.#downSince = undefined;
  }

  /** Says `hello` anew over a connection of its own. */
  renew(now: number): void {
    if (this.#isUp()) this.#outputs.push({ do: "disconnect" });
    if (this.#state.is !== "off" && this.#state.is !== "over") this.#wait(now);
  }

  pollTimeout(): number | undefined {
    switch (this.#state.is) {
      case "off":
      case "over":
        return undefined;
      case "waiting":
      case "opening":
      case "greeting":
        return this.#state.until;
      case "live":
        return this.#state.way === "poll"
          ? Math.min(this.#state.silent, this.#socketAt)
          : this.#state.silent;
    }
  }

  handleTimeout(now: number): void {
    const due = this.pollTimeout();
    if (due === undefined || now < due) return;
    if (this.#state.is === "waiting") {
      this.#connect(now);
      return;
    }
    if (this.#state.is === "live" && now < this.#state.silent) {
      // Polling works, and so may a socket by now.
      this.#lame = SOCKETS_LAME_MAX - 1;
      this.#outputs.push({ do: "disconnect" });
      this.#connect(now);
      return;
    }
    this.#outputs.push({ do: "disconnect" });
    this.handleClosed(now);
  }

  pollOutput(): LinkOutput | undefined {
    return this.#outputs.shift();
  }

  #isUp(): boolean {
    return ["opening", "greeting", "live"].includes(this.#state.is);
  }

  #connect(now: number): void {
    const way = this.#lame < SOCKETS_LAME_MAX ? "socket" : "poll";
    this.#state = { is: "opening", way, until: now + OPENING_MS };
    this.#outputs.push({ do: "connect", way });
  }

  #lost(now: number, from: { is: string; way: Way }): void {
    this.#downSince ??= now;
    if (from.way === "socket" && from.is !== "live") this.#lame += 1;
    this.#wait(now);
  }

  #wait(now: number): void {
    const most = Math.min(WAIT_FIRST_MS * 2 ** this.#tries, WAIT_MAX_MS);
    this.#tries += 1;
    // By chance: after a restart of the server not everybody comes in the same moment.
    this.#state = { is: "waiting", until: now + most / 2 + this.#chance() * (most / 2) };
  }
}

/** The first wait before another try; each next one is twice as long. */
const WAIT_FIRST_MS = 500;

/** The longest wait: a visitor does not look at the screen for longer. */
const WAIT_MAX_MS = 30_000;

/** A connection that is not there after this will not come. */
const OPENING_MS = 10_000;

/** The server answers `hello` from what it has in memory and one query. */
const GREETING_MS = 15_000;

/** The server sends `alive` every 25 s: two of them got lost. */
const SILENCE_MS = 60_000;

/** After so many sockets without a `welcome` something on the way does not let them through. */
const SOCKETS_LAME_MAX = 3;

/** How often a socket is tried while polling. */
const SOCKET_AGAIN_MS = 300_000;
