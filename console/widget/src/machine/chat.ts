// The whole conversation as a machine without a browser: what comes in is told with the time, what is to
// be done comes out of `pollOutput`, and `pollTimeout` says when it wants to be woken.

import type { FormConfig } from "../config.ts";
import type {
  ClientFrame,
  FormAnswers,
  Identity,
  Known,
  Message,
  Page,
  Phase,
  Request,
  Said,
  ServerFrame,
  State,
} from "../protocol.ts";
import { present } from "../protocol.ts";
import { Link, type Way } from "./link.ts";
import { type KeptPending, Outbox, type Pending } from "./outbox.ts";
import { type KeptThread, Thread } from "./thread.ts";

/** What outlives a page. */
export interface Kept {
  token?: string;
  outbox?: KeptPending[];
  thread?: KeptThread;
  state?: State;
  /** Up to which message a person has seen. */
  read?: number;
}

/** What the shell is to do. */
export type Output =
  | { do: "connect"; way: Way }
  | { do: "disconnect" }
  | { do: "transmit"; frame: ClientFrame }
  /** Keep this over the page, or forget it. */
  | { do: "keep"; what: keyof Kept }
  /** The company wrote. */
  | { do: "arrived"; messages: Message[] }
  /** Bring this file up. */
  | { do: "upload"; id: string }
  /** Let go of this file. */
  | { do: "drop"; id: string }
  /** The shop's proof of who this is does not hold. */
  | { do: "identityRefused" }
  /** Something that is shown may be otherwise. */
  | { do: "changed" };

/** A message that came back, because something is to be told first. */
export interface Draft {
  text: string;
  fields: string[];
}

/** What is to be told to the visitor once, of what they asked for. */
export interface Notice {
  of: Request["type"];
  code: string;
  fields: string[];
}

/** What the widget shows in its middle. */
export type Mode = "loading" | "form" | "chat" | "closed";

/** A conversation with a company. */
export class Chat {
  readonly #form: FormConfig | null;
  readonly #link: Link;
  readonly #thread = new Thread();
  readonly #outbox = new Outbox();
  readonly #outputs: Output[] = [];
  #token: string | undefined;
  #identity: Identity | undefined;
  #language: string;
  #page: Page | undefined;
  #state: State | undefined;
  #known: Known = {};
  #identified = false;
  #welcomed = false;
  /** The server's clock less ours. */
  #ahead = 0;
  #visible = false;
  #read = 0;
  /** What `seen` said last over this connection. */
  #told = { delivered: 0, read: 0 };
  #seenAt: number | undefined;
  /** A gap was asked for; asked again then. */
  #resumeAt: number | undefined;
  #historyAt: number | undefined;
  #typedAt: number | undefined;
  #theyTypeUntil = 0;
  #again = false;
  /** A matter was begun here, with this one before it; the server has not said so yet. */
  #begun: { after: string | null } | undefined;
  #draft: Draft | undefined;
  #notice: Notice | undefined;
  #transcriptSent = false;
  /** Whether what is shown knows that we are without a connection. */
  #downSaid = false;
  readonly #uploading = new Map<string, { again?: number }>();

  constructor(form: FormConfig | null, language: string, kept: Kept, chance: () => number) {
    this.#form = form;
    this.#language = language;
    this.#link = new Link(chance);
    this.#token = kept.token;
    this.#read = kept.read ?? 0;
    if (kept.thread) {
      this.#thread.restore(kept.thread);
      this.#state = kept.state;
    }
    this.#outbox.restore(kept.outbox ?? []);
  }

  get token(): string | undefined {
    return this.#token;
  }

  get messages(): readonly Message[] {
    return this.#thread.messages;
  }

  get conversation(): string | null {
    return this.#thread.conversation;
  }

  /** Up to here there is no hole. */
  get last(): number {
    return this.#thread.last;
  }

  get pending(): readonly Pending[] {
    return this.#outbox.pending.filter(({ request }) => request.type === "send");
  }

  get hasOlder(): boolean {
    return this.#thread.hasOlder;
  }

  get isAskingOlder(): boolean {
    return this.#historyAt !== undefined;
  }

  get state(): State | undefined {
    return this.#state;
  }

  get known(): Known {
    return this.#known;
  }

  /** Whether the shop proved who this is. */
  get isIdentified(): boolean {
    return this.#identified;
  }

  /** Whether the server said how things are, since this page was loaded. */
  get isWelcomed(): boolean {
    return this.#welcomed;
  }

  get draft(): Draft | undefined {
    return this.#draft;
  }

  get notice(): Notice | undefined {
    return this.#notice;
  }

  get hasSentTranscript(): boolean {
    return this.#transcriptSent;
  }

  /** The code that ended it for this page, if one did. */
  get over(): string | undefined {
    return this.#link.state.is === "over" ? this.#link.state.why : undefined;
  }

  get phase(): Phase {
    return this.#state?.phase ?? "idle";
  }

  /** Whether we have been without a connection for long enough to say so. */
  isDown(now: number): boolean {
    return this.#link.downSince !== undefined && now >= this.#link.downSince + DOWN_SAID_MS;
  }

  theyType(now: number): boolean {
    return now < this.#theyTypeUntil && (this.phase === "agent" || this.phase === "bot");
  }

  /** Who has the matter in hand. */
  get agent(): State["agent"] {
    return this.phase === "agent" ? (this.#state?.agent ?? null) : null;
  }

  /** The server's clock. */
  serverTime(now: number): number {
    return now + this.#ahead;
  }

  /** Messages of the company that nobody has seen. */
  get unread(): number {
    return this.#thread.messages.filter(
      ({ seq, author }) => seq > this.#read && author.kind !== "visitor",
    ).length;
  }

  /** Whether a survey was asked that was not answered yet. */
  get survey() {
    const answered = this.#outbox.pending.some(({ request }) => request.type === "survey");
    return this.phase === "closed" && !answered ? (this.#state?.survey ?? null) : null;
  }

  mode(now: number): Mode {
    const isOpen = this.phase !== "idle" && this.phase !== "closed";
    const isUnderWay = this.pending.some(({ state }) => state.is !== "failed");
    if (isOpen || isUnderWay || this.#begun) return "chat";
    if (!this.#welcomed && this.#thread.last === 0 && !this.isDown(now)) return "loading";
    if (this.phase === "closed" && !this.#again) return "closed";
    return this.#needsForm() ? "form" : "chat";
  }

  /** What the answer to the form must have, and may have. */
  formFields(): { field: "name" | "email" | "phone"; must: boolean }[] {
    const form = this.#form;
    if (!form) return [];
    const away = this.#state?.open === false;
    const fields = ["name", "email", "phone"] as const;
    return fields
      .filter((field) => form[field] !== "no")
      .map((field) => ({ field, must: form[field] === "must" || (away && field === "email") }));
  }

  /** Whether the visitor agreed to the words as they are now. */
  hasConsent(): boolean {
    const consent = this.#form?.consent;
    return !consent || this.#known.consent === consent.version;
  }

  #needsForm(): boolean {
    const form = this.#form;
    if (!form) return false;
    if (this.#draft || form.services.length > 1 || !this.hasConsent()) return true;
    const fields = this.formFields();
    const isKnown = ({ field }: { field: keyof Known }) => this.#known[field] !== undefined;
    const lacks = fields.some((field) => field.must && !isKnown(field));
    return lacks || (fields.length > 0 && !fields.some(isKnown));
  }

  // What the visitor does.

  /** The chat is needed: it was opened, or there is a conversation. */
  start(now: number): void {
    this.#link.want(now);
    this.#flush(now);
  }

  say(now: number, id: string, content: Said, form?: FormAnswers): void {
    const request: Request = { type: "send", content, ...present({ form, page: this.#page }) };
    this.#add({ id, at_ms: this.serverTime(now), request });
    this.#typedAt = undefined;
    this.#draft = undefined;
    this.#begin();
    this.start(now);
  }

  /** A file; it goes up first. */
  attach(now: number, id: string, file: NonNullable<Pending["file"]>, caption?: string): void {
    const content: Said = { kind: "file", upload: "", ...present({ caption }) };
    const request: Request = { type: "send", content, ...present({ page: this.#page }) };
    this.#add({ id, at_ms: this.serverTime(now), request, file });
    this.#begin();
    this.start(now);
  }

  /** A survey, a transcript, or the end. */
  ask(now: number, id: string, request: Exclude<Request, { type: "send" }>): void {
    this.#notice = undefined;
    if (request.type === "transcript") this.#transcriptSent = false;
    this.#add({ id, at_ms: this.serverTime(now), request });
    this.start(now);
  }

  retry(now: number, id: string): void {
    this.#outbox.retry(id);
    this.#keep("outbox");
    this.#flush(now);
  }

  /** Takes back what has not left, or did not arrive. */
  cancel(now: number, id: string): void {
    const one = this.#outbox.find(id);
    if (!one || one.state.is === "sent" || one.state.is === "kept") return;
    this.#forgetFile(id);
    this.#outbox.remove(id);
    this.#keep("outbox");
    this.#flush(now);
  }

  /** The visitor typed; there is something in the box, or no longer. */
  typed(now: number, isEmpty: boolean): void {
    if (!this.#link.isLive || (this.phase !== "agent" && this.phase !== "bot")) return;
    if (isEmpty) {
      if (this.#typedAt !== undefined) this.#transmit({ type: "typing", on: false });
      this.#typedAt = undefined;
    } else if (this.#typedAt === undefined || now >= this.#typedAt + TYPING_AGAIN_MS) {
      this.#transmit({ type: "typing", on: true });
      this.#typedAt = now;
    }
  }

  older(now: number): void {
    const first = this.#thread.messages[0];
    if (!first || !this.hasOlder || this.isAskingOlder || !this.#link.isLive) return;
    this.#historyAt = now + HISTORY_MS;
    this.#transmit({ type: "history", before_seq: first.seq });
    this.#changed();
  }

  /** After the end: write again. */
  again(): void {
    this.#again = true;
    this.#changed();
  }

  // What the page says.

  setLanguage(language: string): void {
    this.#language = language;
  }

  setPage(page: Page | undefined): void {
    this.#page = page;
  }

  /** Whether a person sees the messages. */
  setVisible(now: number, visible: boolean): void {
    this.#visible = visible;
    if (visible) this.#link.handleShown(now);
    this.#flush(now);
  }

  identify(now: number, identity: Identity): void {
    this.#identity = identity;
    if (this.#link.isLive) this.#transmit({ type: "identify", identity });
    this.#flush(now);
  }

  /** The next visitor is nobody. */
  logout(now: number): void {
    this.#identity = undefined;
    for (const { id } of this.#outbox.pending) this.#forgetFile(id);
    this.#outbox.clear();
    this.#keep("outbox");
    this.#forget();
    this.#link.renew(now);
    this.#flush(now);
  }

  // What the shell says.

  handleOnline(now: number): void {
    this.#link.handleOnline(now);
    this.#flush(now);
  }

  handleOpened(now: number): void {
    this.#link.handleOpened(now);
    this.#flush(now);
  }

  /** `why` is the code with which the server closed it, if it did. */
  handleClosed(now: number, why?: string): void {
    if (why !== undefined && ENDS.includes(why)) this.#link.end(why);
    this.#link.handleClosed(now);
    this.#outbox.handleClosed();
    this.#resumeAt = undefined;
    this.#historyAt = undefined;
    this.#typedAt = undefined;
    this.#theyTypeUntil = 0;
    this.#flush(now);
  }

  handleFrame(now: number, frame: ServerFrame): void {
    this.#link.handleHeard(now);
    switch (frame.type) {
      case "welcome":
        this.#welcome(now, frame);
        break;
      case "state":
        this.#takeState(now, frame.state);
        break;
      case "messages":
        this.#takeMessages(now, frame);
        break;
      case "history":
        this.#historyAt = undefined;
        this.#thread.receiveOlder(frame.before, frame.messages, frame.more);
        break;
      case "ack":
        this.#acknowledged(frame.client_message_id, frame.seq);
        break;
      case "error":
        this.#takeError(now, frame);
        break;
      case "alive":
        break;
    }
    this.#flush(now);
  }

  handleProgress(id: string, progress: number): void {
    this.#outbox.progress(id, progress);
    this.#changed();
  }

  handleUploaded(now: number, id: string, upload: string): void {
    this.#outbox.uploaded(id, upload);
    this.#uploading.delete(id);
    this.#keep("outbox");
    this.#flush(now);
  }

  /** It did not go up; the code is of the protocol, or `unavailable`. */
  handleUploadFailed(now: number, id: string, code: string, retryAfter?: number): void {
    if (code === "unavailable" || code === "too_fast") {
      this.#uploading.set(id, { again: now + (retryAfter ?? UPLOAD_AGAIN_MS) });
    } else {
      this.#uploading.delete(id);
      this.#outbox.fail(id, code);
      this.#keep("outbox");
    }
    this.#flush(now);
  }

  pollTimeout(): number | undefined {
    const live = this.#link.isLive;
    const uploads = [...this.#uploading.values()].map(({ again }) => again);
    const down = this.#link.downSince;
    const times = [
      this.#link.pollTimeout(),
      live ? this.#outbox.pollTimeout() : undefined,
      live ? this.#seenAt : undefined,
      this.#resumeAt,
      this.#historyAt,
      this.#theyTypeUntil || undefined,
      down !== undefined && !this.#downSaid ? down + DOWN_SAID_MS : undefined,
      ...(live ? uploads : []),
    ];
    const due = times.filter((time) => time !== undefined);
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  handleTimeout(now: number): void {
    this.#link.handleTimeout(now);
    if (this.#theyTypeUntil !== 0 && now >= this.#theyTypeUntil) this.#theyTypeUntil = 0;
    if (this.#historyAt !== undefined && now >= this.#historyAt) this.#historyAt = undefined;
    if (this.#resumeAt !== undefined && now >= this.#resumeAt) this.#resume(now);
    this.#flush(now);
  }

  pollOutput(): Output | undefined {
    return this.#outputs.shift();
  }

  /** What is to be kept over the page under this name. */
  kept<What extends keyof Kept>(what: What): Kept[What] {
    const kept: Kept = present({
      token: this.#token,
      outbox: this.#outbox.kept(),
      thread: this.#thread.kept(),
      state: this.#state,
      read: this.#read,
    });
    return kept[what];
  }

  #welcome(now: number, frame: Extract<ServerFrame, { type: "welcome" }>): void {
    this.#link.handleWelcome(now);
    this.#token = frame.token;
    this.#keep("token");
    this.#known = frame.known;
    this.#identified = frame.identified;
    this.#ahead = frame.now_ms - now;
    this.#welcomed = true;
    this.#told = { delivered: 0, read: 0 };
    this.#resumeAt = undefined;
    if (this.#thread.belong(frame.conversation)) this.#newThread();
  }

  #takeState(now: number, state: State): void {
    if (this.#state && state.version < this.#state.version) return;
    const before = this.#state;
    this.#state = state;
    this.#theyTypeUntil = state.typing ? now + THEY_TYPE_MS : 0;
    if (before?.phase !== state.phase && state.phase !== "closed") this.#again = false;
    const isOpen = state.phase !== "idle" && state.phase !== "closed";
    if (isOpen || state.interaction !== this.#begun?.after) this.#begun = undefined;
    if (before?.interaction !== state.interaction) this.#transcriptSent = false;
    this.#keep("state");
  }

  #takeMessages(now: number, frame: Extract<ServerFrame, { type: "messages" }>): void {
    const { conversation, after, messages, reset } = frame;
    if (this.#thread.conversation !== conversation && this.#thread.belong(conversation)) {
      this.#newThread();
    }
    const taken = this.#thread.receive(after, messages, reset);
    if (taken.is === "gap") {
      if (this.#resumeAt === undefined) this.#resume(now);
      return;
    }
    this.#resumeAt = undefined;
    const ids = new Set(messages.flatMap((message) => message.client_message_id ?? []));
    for (const id of ids) this.#forgetFile(id);
    this.#outbox.settle(ids, this.#thread.last);
    const theirs = taken.messages.filter(({ author }) => author.kind !== "visitor");
    // What they typed is here.
    if (theirs.length > 0) this.#theyTypeUntil = 0;
    if (theirs.length > 0) {
      this.#theyTypeUntil = 0;
      this.#outputs.push({ do: "arrived", messages: theirs });
    }
    this.#keep("thread");
    this.#keep("outbox");
  }

  #begin(): void {
    if (this.phase === "idle" || this.phase === "closed") {
      this.#begun = { after: this.#state?.interaction ?? null };
    }
  }

  #newThread(): void {
    this.#begun = undefined;
    this.#state = undefined;
    this.#read = 0;
    for (const what of ["thread", "state", "read"] as const) this.#keep(what);
  }

  #acknowledged(id: string, seq: number | null): void {
    const one = this.#outbox.find(id);
    if (!one) return;
    if (one.request.type === "transcript") this.#transcriptSent = true;
    this.#forgetFile(id);
    this.#outbox.acknowledged(id, seq);
    this.#outbox.settle(NONE, this.#thread.last);
    this.#keep("outbox");
  }

  #takeError(now: number, error: Extract<ServerFrame, { type: "error" }>): void {
    const { code, client_message_id: id } = error;
    if (code === "token") {
      const hadToken = this.#token !== undefined;
      this.#forget();
      if (hadToken) this.#link.renew(now);
      else this.#link.end(code);
      this.#outbox.handleClosed();
      return;
    }
    if (code === "identity") {
      this.#identity = undefined;
      this.#outputs.push({ do: "identityRefused" });
      return;
    }
    if (ENDS.includes(code)) {
      this.#link.end(code);
      return;
    }
    const one = id === null ? undefined : this.#outbox.find(id);
    if (one) this.#refused(now, one, error);
  }

  #refused(now: number, one: Pending, error: Extract<ServerFrame, { type: "error" }>): void {
    const { code, fields } = error;
    const { request } = one;
    if (code === "too_fast" || code === "unavailable") {
      this.#outbox.hold(one.id, now + (error.retry_after_ms ?? HELD_MS));
      return;
    }
    if (request.type !== "send") {
      this.#outbox.remove(one.id);
      this.#notice = { of: request.type, code, fields };
    } else if (isAboutForm(request, code) && request.content.kind === "text") {
      this.#begun = undefined;
      this.#outbox.remove(one.id);
      this.#draft = { text: request.content.text, fields };
    } else {
      this.#outbox.fail(one.id, code);
    }
    this.#keep("outbox");
  }

  #forget(): void {
    this.#token = undefined;
    this.#known = {};
    this.#identified = false;
    this.#again = false;
    this.#draft = undefined;
    this.#notice = undefined;
    this.#thread.forget();
    this.#newThread();
    this.#keep("token");
  }

  #add(pending: Omit<Pending, "state">): void {
    this.#outbox.add(pending);
    this.#keep("outbox");
  }

  #forgetFile(id: string): void {
    this.#uploading.delete(id);
    if (this.#outbox.find(id)?.file) this.#outputs.push({ do: "drop", id });
  }

  #resume(now: number): void {
    this.#resumeAt = now + RESUME_AGAIN_MS;
    this.#transmit({ type: "resume", after_seq: this.#thread.last });
  }

  /** Everything that follows from whatever happened. */
  #flush(now: number): void {
    for (let out = this.#link.pollOutput(); out; out = this.#link.pollOutput()) {
      if (out.do === "hello") this.#transmit(this.#hello());
      else this.#outputs.push(out);
    }
    this.#downSaid = this.isDown(now);
    if (this.#link.isLive) {
      for (let next = this.#outbox.poll(now); next; next = this.#outbox.poll(now)) {
        this.#transmit(next);
      }
      this.#startUploads(now);
    }
    this.#see(now);
    this.#changed();
  }

  #startUploads(now: number): void {
    for (const { id, state } of this.#outbox.pending) {
      if (state.is !== "uploading") continue;
      const known = this.#uploading.get(id);
      if (known && (known.again === undefined || now < known.again)) continue;
      this.#uploading.set(id, {});
      this.#outputs.push({ do: "upload", id });
    }
  }

  #see(now: number): void {
    const delivered = this.#thread.last;
    if (this.#visible && delivered > this.#read) {
      this.#read = delivered;
      this.#keep("read");
    }
    const read = Math.min(this.#read, delivered);
    const isTold = this.#told.delivered >= delivered && this.#told.read >= read;
    if (isTold) {
      this.#seenAt = undefined;
      return;
    }
    // A burst of messages is seen once.
    this.#seenAt ??= now + SEEN_MS;
    if (!this.#link.isLive || now < this.#seenAt) return;
    this.#seenAt = undefined;
    this.#told = { delivered, read };
    this.#transmit({ type: "seen", delivered, read });
  }

  #hello(): ClientFrame {
    return {
      type: "hello",
      v: 1,
      language: this.#language,
      after_seq: this.#thread.last,
      ...present({
        token: this.#token,
        identity: this.#identity,
        conversation: this.#thread.conversation ?? undefined,
        page: this.#page,
      }),
    };
  }

  #transmit(frame: ClientFrame): void {
    this.#outputs.push({ do: "transmit", frame });
  }

  #keep(what: keyof Kept): void {
    const isAsked = this.#outputs.some((output) => output.do === "keep" && output.what === what);
    if (!isAsked) this.#outputs.push({ do: "keep", what });
  }

  #changed(): void {
    if (this.#outputs.at(-1)?.do !== "changed") this.#outputs.push({ do: "changed" });
  }
}

const NONE: ReadonlySet<string> = new Set();

/** After these this page does not come again by itself. */
const ENDS: readonly string[] = ["version", "blocked", "origin", "channel", "replaced"];

function isAboutForm(request: Extract<Request, { type: "send" }>, code: string): boolean {
  return code === "form_needed" || (code === "invalid" && request.form !== undefined);
}

/** A loss that is shorter than this is not worth a word. */
const DOWN_SAID_MS = 3_000;

/** `typing` ends by itself at the server after 6 s. */
const TYPING_AGAIN_MS = 4_000;

/** Who types and then says nothing went away. */
const THEY_TYPE_MS = 10_000;

/** How long a burst of messages may be before it is said to be seen. */
const SEEN_MS = 250;

/** A gap that was not filled is asked for again. */
const RESUME_AGAIN_MS = 10_000;

/** Older messages that did not come may be asked for again. */
const HISTORY_MS = 10_000;

/** How long something is held when the server does not say. */
const HELD_MS = 5_000;

/** Between two tries of an upload that did not get through. */
const UPLOAD_AGAIN_MS = 10_000;
