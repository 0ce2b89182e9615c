// Joins the machine with the browser: the clock, the wire, the storage, the page that shows us.

import { type Config, type Language, languageOf, type Theme } from "./config.ts";
import { Chat, type Output } from "./machine/chat.ts";
import type { FromLoader, Parent } from "./parent.ts";
import type { FormAnswers, Identity, Message, Request } from "./protocol.ts";
import { chime } from "./sound.ts";
import { FileShelf, Memory } from "./storage.ts";
import { upload } from "./uploads.ts";
import { pollWire, socketWire, type Wire } from "./wires.ts";
import { chosen, WORDS } from "./words.ts";

/** What came from the company just now, to be read out. */
export interface Heard {
  id: string;
  text: string;
}

/** The conversation in this browser. */
export class Shell {
  readonly config: Config;
  readonly chat: Chat;
  readonly files = new FileShelf();
  language: Language;
  theme: Theme;
  isOpen = false;
  hasSound: boolean;
  heard: Heard[] = [];
  readonly #memory: Memory;
  readonly #parent: Parent;
  readonly #address: string;
  readonly #uploads = new Map<string, { stop: () => void }>();
  #wire: Wire | undefined;
  #timer: number | undefined;
  #changed: () => void = () => {};
  #told = "";
  #hasStarted: boolean | undefined;

  /** `start` is what the page that shows us said first. */
  constructor(config: Config, parent: Parent, start: Extract<FromLoader, { type: "start" }>) {
    this.config = config;
    this.#parent = parent;
    this.#memory = new Memory(config.channel, start.kept, (kept) => {
      parent.tell({ type: "keep", kept });
    });
    this.#address = `${location.origin}/webchat/${config.channel}`;
    this.theme = start.theme;
    this.hasSound = this.#memory.read("sound") !== false;
    this.language = this.#chosenLanguage(start.language);
    const kept = this.#memory.readChat(Date.now());
    this.chat = new Chat(config.form, this.language, kept, Math.random);
    this.chat.setPage(start.page);
    this.#listen();
    this.#speak(this.language);
    // Who has a conversation hears of it at once; who has none connects when they open the chat.
    const hasBegun = this.chat.token !== undefined || this.chat.pending.length > 0;
    if (hasBegun) this.#act(() => this.chat.start(Date.now()));
  }

  /** What the page that shows us says. */
  hear(message: FromLoader): void {
    switch (message.type) {
      case "start":
        break;
      case "opened":
        this.isOpen = true;
        this.#act(() => this.chat.start(Date.now()));
        this.#look();
        break;
      case "closed":
        this.isOpen = false;
        this.#look();
        break;
      case "page":
        this.chat.setPage(message.page);
        break;
      case "language":
        this.#speak(languageOf(message.language) ?? this.language);
        break;
      case "theme":
        this.theme = message.theme;
        this.#changed();
        break;
      case "identify":
        this.#identify(message.identity);
        break;
      case "logout":
        this.unsent = "";
        this.#act(() => this.chat.logout(Date.now()));
        break;
    }
  }

  /** Calls `changed` whenever something that is shown may be otherwise. */
  subscribe(changed: () => void): void {
    this.#changed = changed;
  }

  // What the visitor does.

  say(text: string, form?: FormAnswers): void {
    this.#act(() => this.chat.say(Date.now(), newId(), { kind: "text", text }, form));
  }

  choose(of: number, id: string, title: string): void {
    this.#act(() => this.chat.say(Date.now(), newId(), { kind: "choice", of, id, title }));
  }

  attach(file: File, caption?: string): void {
    const id = newId();
    const { name, type: mime, size: bytes } = file;
    void this.files.put(id, file);
    this.#act(() => this.chat.attach(Date.now(), id, { name, mime, bytes }, caption));
  }

  ask(request: Exclude<Request, { type: "send" }>): void {
    this.#act(() => this.chat.ask(Date.now(), newId(), request));
  }

  retry(id: string): void {
    this.#act(() => this.chat.retry(Date.now(), id));
  }

  cancel(id: string): void {
    this.#act(() => this.chat.cancel(Date.now(), id));
  }

  typed(isEmpty: boolean): void {
    this.#act(() => this.chat.typed(Date.now(), isEmpty));
  }

  older(): void {
    this.#act(() => this.chat.older(Date.now()));
  }

  again(): void {
    this.#act(() => this.chat.again());
  }

  close(): void {
    this.#parent.tell({ type: "close" });
  }

  setSound(on: boolean): void {
    this.hasSound = on;
    this.#memory.write("sound", on);
    this.#changed();
  }

  setLanguage(language: Language): void {
    this.#memory.write("language", language);
    this.#speak(language);
  }

  /** What the visitor has in the box, over the page. */
  get unsent(): string {
    const text = this.#memory.read("unsent");
    return typeof text === "string" ? text : "";
  }

  set unsent(text: string) {
    this.#memory.write("unsent", text === "" ? undefined : text);
  }

  #listen(): void {
    window.addEventListener("online", () => this.#act(() => this.chat.handleOnline(Date.now())));
    document.addEventListener("visibilitychange", () => this.#look());
    window.addEventListener("focus", () => this.#look());
  }

  #identify(identity: Identity | undefined): void {
    if (identity) this.#act(() => this.chat.identify(Date.now(), identity));
    else this.#parent.tell({ type: "identity_refused" });
  }

  /** Runs something on the machine and does what comes of it. */
  #act(what: () => void): void {
    what();
    for (let out = this.chat.pollOutput(); out; out = this.chat.pollOutput()) this.#perform(out);
    window.clearTimeout(this.#timer);
    const due = this.chat.pollTimeout();
    if (due === undefined) return;
    const wait = Math.min(Math.max(due - Date.now(), 0), TIMER_MAX_MS);
    this.#timer = window.setTimeout(() => {
      this.#act(() => this.chat.handleTimeout(Date.now()));
    }, wait);
  }

  #perform(out: Output): void {
    switch (out.do) {
      case "connect":
        this.#connect(out.way);
        break;
      case "disconnect":
        this.#wire?.close();
        this.#wire = undefined;
        break;
      case "transmit":
        this.#wire?.send(out.frame);
        break;
      case "keep":
        this.#memory.writeChat(Date.now(), out.what, this.chat.kept(out.what));
        break;
      case "arrived":
        this.#arrived(out.messages);
        break;
      case "upload":
        void this.#upload(out.id);
        break;
      case "drop":
        this.#uploads.get(out.id)?.stop();
        this.#uploads.delete(out.id);
        void this.files.drop(out.id);
        break;
      case "identityRefused":
        this.#parent.tell({ type: "identity_refused" });
        break;
      case "changed":
        this.#tellParent();
        this.#changed();
        break;
    }
  }

  #connect(way: "socket" | "poll"): void {
    this.#wire?.close();
    const mine: { wire?: Wire } = {};
    // Of a wire that was left nothing is heard any more.
    const isMine = () => this.#wire !== undefined && this.#wire === mine.wire;
    const ear = {
      opened: () => isMine() && this.#act(() => this.chat.handleOpened(Date.now())),
      frame: (frame: Parameters<Chat["handleFrame"]>[1]) =>
        isMine() && this.#act(() => this.chat.handleFrame(Date.now(), frame)),
      closed: (why?: string) => {
        if (!isMine()) return;
        this.#wire = undefined;
        this.#act(() => this.chat.handleClosed(Date.now(), why));
      },
    };
    const place = () => ({
      token: this.chat.token,
      after_seq: this.chat.last,
      conversation: this.chat.conversation,
      state: this.chat.state?.version ?? 0,
    });
    mine.wire =
      way === "socket" ? socketWire(this.#address, ear) : pollWire(this.#address, place, ear);
    this.#wire = mine.wire;
  }

  async #upload(id: string): Promise<void> {
    const file = await this.files.find(id);
    const { token } = this.chat;
    if (!file || token === undefined) {
      const code = file ? "unavailable" : "upload";
      this.#act(() => this.chat.handleUploadFailed(Date.now(), id, code));
      return;
    }
    const progress = (part: number) => this.#act(() => this.chat.handleProgress(id, part));
    const task = upload(this.#address, token, file, progress, (outcome) => {
      this.#uploads.delete(id);
      this.#act(() => {
        if ("id" in outcome) this.chat.handleUploaded(Date.now(), id, outcome.id);
        else this.chat.handleUploadFailed(Date.now(), id, outcome.code, outcome.retryAfter);
      });
    });
    this.#uploads.set(id, task);
  }

  #arrived(messages: readonly Message[]): void {
    const words = WORDS[this.language];
    const read = messages.map((message) => ({
      id: message.id,
      text: words.wrote(message.author.name ?? words.someone, this.summary(message)),
    }));
    this.heard = [...this.heard, ...read].slice(-HEARD_MAX);
    if (this.hasSound) chime();
  }

  /** A message in few words. */
  summary({ content }: Message): string {
    const words = WORDS[this.language];
    switch (content.kind) {
      case "text":
      case "choices":
        return content.text;
      case "choice":
        return content.title;
      case "file":
        return content.caption || content.file.name || words.file;
      case "location":
        return content.name || words.location;
      case "unsupported":
        return words.unsupported;
    }
  }

  #look(): void {
    const visible = this.isOpen && document.visibilityState === "visible";
    this.#act(() => this.chat.setVisible(Date.now(), visible));
  }

  #chosenLanguage(page: string | null): Language {
    const own = this.#memory.read("language");
    const mine = typeof own === "string" ? languageOf(own) : undefined;
    const { language } = this.config;
    return mine ?? (language === "auto" ? chosen(page, navigator.languages) : language);
  }

  #speak(language: Language): void {
    this.language = language;
    this.chat.setLanguage(language);
    const words = WORDS[language];
    const { open, close, dismiss } = words;
    this.#parent.tell({ type: "labels", open, close, dismiss });
    this.#told = "";
    this.#tellParent();
    this.#changed();
  }

  #tellParent(): void {
    const hasStarted = this.chat.messages.length > 0 || this.chat.pending.length > 0;
    // Before the server said so, nothing says that there is none.
    if (hasStarted !== this.#hasStarted && (hasStarted || this.chat.isWelcomed)) {
      this.#hasStarted = hasStarted;
      this.#parent.tell({ type: hasStarted ? "started" : "forgotten" });
    }
    const count = this.chat.unread;
    const last = this.chat.messages.filter(({ author }) => author.kind !== "visitor").at(-1);
    const text = count > 0 && last ? this.summary(last).slice(0, PEEK_CHARS_MAX) : "";
    const label = count > 0 ? WORDS[this.language].newMessages(count) : "";
    const told = JSON.stringify([count, label, text]);
    if (told === this.#told) return;
    this.#told = told;
    this.#parent.tell({ type: "unread", count, label, text });
  }
}

/** An id for a message. `randomUUID` is only there over HTTPS. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A longer wait than this is waited for in parts: a browser's timers end at 24 days. */
const TIMER_MAX_MS = 3_600_000;

/** What is read out at most, when much comes at once. */
const HEARD_MAX = 5;

/** What is shown beside the launcher of the last message. */
const PEEK_CHARS_MAX = 120;
