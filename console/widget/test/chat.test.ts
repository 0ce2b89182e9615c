import { expect, test } from "vitest";
import type { FormConfig } from "../src/config.ts";
import { Chat, type Kept, type Output } from "../src/machine/chat.ts";
import type { ClientFrame } from "../src/protocol.ts";
import { readFrame } from "../src/protocol.ts";
import { ModelServer, type Peer } from "./model.ts";

/** A visitor and a server over a wire that loses nothing and takes no time. */
class Pair {
  now = 1_000;
  readonly server: ModelServer;
  chat: Chat;
  peer: Peer | undefined;
  readonly outputs: Output[] = [];
  readonly sent: ClientFrame[] = [];
  readonly #form: FormConfig | null;

  constructor(form: FormConfig | null = null, kept: Kept = {}) {
    this.server = new ModelServer(() => this.now, {
      survey: {
        id: "s",
        questions: [{ id: "q", kind: "stars", text: "?", required: true, choices: [] }],
      },
    });
    this.#form = form;
    this.chat = new Chat(form, "pt-BR", kept, () => 0);
  }

  /** Does what the chat wants until it wants nothing. */
  settle(): void {
    for (let out = this.chat.pollOutput(); out; out = this.chat.pollOutput()) {
      this.outputs.push(out);
      if (out.do === "connect") this.#connect();
      if (out.do === "disconnect") this.drop();
      if (out.do === "transmit") {
        this.sent.push(out.frame);
        if (this.peer) this.server.handle(this.peer, out.frame);
      }
    }
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      this.settle();
      const due = this.chat.pollTimeout();
      if (due === undefined || due > until) break;
      this.now = Math.max(this.now, due);
      this.chat.handleTimeout(this.now);
    }
    this.now = until;
  }

  /** The page is loaded anew with what was kept of it. */
  reload(): void {
    const kept: Kept = {};
    for (const what of ["token", "outbox", "thread", "state", "read"] as const) {
      Object.assign(kept, { [what]: this.chat.kept(what) });
    }
    this.drop();
    this.chat = new Chat(this.#form, "pt-BR", JSON.parse(JSON.stringify(kept)), () => 0);
  }

  drop(): void {
    if (this.peer) this.server.leave(this.peer);
    this.peer = undefined;
  }

  types(): string[] {
    return this.sent.splice(0).map(({ type }) => type);
  }

  texts(): string[] {
    return this.chat.messages.map(({ content }) => (content.kind === "text" ? content.text : ""));
  }

  #connect(): void {
    this.peer = this.server.join((frame) => {
      const read = readFrame(JSON.stringify(frame));
      if (read) this.chat.handleFrame(this.now, read);
    });
    this.chat.handleOpened(this.now);
  }
}

const text = (words: string) => ({ kind: "text", text: words }) as const;
const ANA = { kind: "agent", name: "Ana" } as const;

const FORM: FormConfig = {
  name: "must",
  email: "ask",
  phone: "no",
  services: [],
  consent: { version: "1", text: {}, url: null },
};

test("opening the chat greets, and begins nothing", () => {
  const pair = new Pair();
  pair.chat.start(pair.now);
  pair.pass(60_000);
  expect(pair.types()).toEqual(["hello"]);
  expect(pair.server.messages).toEqual([]);
  expect(pair.chat.mode(pair.now)).toBe("chat");
});

test("what is written leaves once, in order, one at a time, and is shown until it comes back", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.chat.say(pair.now, "id-2", text("dois"));
  expect(pair.chat.pending.map(({ id }) => id)).toEqual(["id-1", "id-2"]);
  pair.settle();
  expect(pair.texts()).toEqual(["um", "dois"]);
  expect(pair.chat.pending).toEqual([]);
  pair.pass(60_000);
  expect(pair.types()).toEqual(["hello", "send", "send", "seen"]);
});

test("what could not leave is kept over the page and leaves from the next", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.reload();
  expect(pair.chat.pending.map(({ id }) => id)).toEqual(["id-1"]);
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.texts()).toEqual(["um"]);
  pair.reload();
  expect(pair.chat.pending).toEqual([]);
});

test("an acknowledgement that got lost is asked for again, under the same id", () => {
  const pair = new Pair();
  pair.chat.start(pair.now);
  pair.settle();
  const { peer } = pair;
  if (!peer) throw new Error("connected");
  const { transmit } = peer;
  peer.transmit = () => {};
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  expect(pair.texts()).toEqual([]);
  peer.transmit = transmit;
  pair.pass(14_999);
  expect(pair.types()).toEqual(["hello", "send"]);
  pair.pass(1);
  expect(pair.types()).toEqual(["send"]);
  expect(pair.chat.pending.map(({ state }) => state)).toEqual([{ is: "kept", seq: 1 }]);
  expect(pair.server.messages.length).toBe(1);
});

test("what was under way when the connection broke leaves at once over the next", () => {
  const pair = new Pair();
  pair.chat.start(pair.now);
  pair.settle();
  pair.drop();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  expect(pair.types()).toEqual(["hello", "send"]);
  pair.chat.handleClosed(pair.now);
  pair.pass(1_000);
  expect(pair.types().slice(0, 2)).toEqual(["hello", "send"]);
  expect(pair.texts()).toEqual(["um"]);
});

test("what was seen is told again over the next connection: the server may not have heard", () => {
  const pair = new Pair();
  pair.chat.setVisible(pair.now, true);
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.pass(1_000);
  pair.drop();
  pair.chat.handleClosed(pair.now);
  pair.sent.length = 0;
  pair.pass(2_000);
  expect(pair.sent.at(-1)).toEqual({ type: "seen", delivered: 1, read: 1 });
});

test("a page that comes back asks for what it lacks alone", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  pair.server.say(ANA, text("dois"));
  pair.reload();
  pair.server.say(ANA, text("três"));
  expect(pair.texts()).toEqual(["um", "dois"]);
  pair.types();
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.texts()).toEqual(["um", "dois", "três"]);
  expect(pair.sent[0]).toMatchObject({ type: "hello", after_seq: 2, conversation: "c1" });
});

test("who was away for long begins with the last messages and can ask for older ones", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("0"));
  pair.settle();
  pair.reload();
  for (let count = 1; count <= 230; count += 1) pair.server.say(ANA, text(String(count)));
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.texts()).toEqual(Array.from({ length: 50 }, (_, index) => String(181 + index)));
  while (pair.chat.hasOlder) {
    pair.chat.older(pair.now);
    pair.settle();
  }
  expect(pair.texts()).toEqual(Array.from({ length: 231 }, (_, index) => String(index)));
});

test("a token that the server does not know is forgotten with all it showed; what was written leaves", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  pair.reload();
  pair.server.token = "token-2";
  pair.server.messages.length = 0;
  pair.chat.say(pair.now, "id-2", text("dois"));
  pair.pass(1_000);
  expect(pair.texts()).toEqual(["dois"]);
  expect(pair.chat.kept("token")).toBe("token-2");
});

test("a server that refuses every token is not asked for ever", () => {
  const pair = new Pair();
  pair.chat.start(pair.now);
  pair.settle();
  pair.chat.handleFrame(
    pair.now,
    readFrame('{"type":"error","code":"token"}') ?? { type: "alive" },
  );
  pair.settle();
  pair.chat.handleFrame(
    pair.now,
    readFrame('{"type":"error","code":"token"}') ?? { type: "alive" },
  );
  pair.pass(600_000);
  expect(pair.chat.over).toBe("token");
});

test("too fast is sent again when the server says, before what came later", () => {
  const pair = new Pair();
  pair.server.refuse.push({ code: "too_fast", retry_after_ms: 2_000 });
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.chat.say(pair.now, "id-2", text("dois"));
  pair.pass(1_999);
  expect(pair.texts()).toEqual([]);
  pair.pass(1);
  expect(pair.texts()).toEqual(["um", "dois"]);
});

test("what is refused for good says so, holds up nothing, and can be tried again or taken back", () => {
  const pair = new Pair();
  pair.server.refuse.push({ code: "too_large" }, { code: "new_in_version_9" });
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.chat.say(pair.now, "id-2", text("dois"));
  pair.chat.say(pair.now, "id-3", text("três"));
  pair.settle();
  expect(pair.texts()).toEqual(["três"]);
  const failed = pair.chat.pending.map(({ id, state }) => [id, state]);
  expect(failed).toEqual([
    ["id-1", { is: "failed", code: "too_large" }],
    ["id-2", { is: "failed", code: "new_in_version_9" }],
  ]);
  pair.reload();
  expect(pair.chat.pending.map(({ id, state }) => [id, state])).toEqual(failed);
  pair.chat.start(pair.now);
  pair.chat.retry(pair.now, "id-1");
  pair.chat.cancel(pair.now, "id-2");
  pair.settle();
  expect(pair.texts()).toEqual(["três", "um"]);
  expect(pair.chat.pending).toEqual([]);
});

test("the form is asked for until it was answered, and goes with the first message", () => {
  const pair = new Pair(FORM);
  pair.chat.start(pair.now);
  expect(pair.chat.mode(pair.now)).toBe("loading");
  pair.settle();
  expect(pair.chat.mode(pair.now)).toBe("form");
  expect(pair.chat.formFields()).toEqual([
    { field: "name", must: true },
    { field: "email", must: false },
  ]);
  pair.chat.say(pair.now, "id-1", text("oi"), { name: "Ana" });
  expect(pair.chat.mode(pair.now)).toBe("chat");
  pair.settle();
  expect(pair.sent[1]).toMatchObject({ type: "send", form: { name: "Ana" } });
});

test("who told everything before is not asked again, but for new words to agree to", () => {
  const pair = new Pair(FORM);
  pair.server.known = { name: "Ana", consent: "1" };
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.chat.mode(pair.now)).toBe("chat");
  pair.server.known = { name: "Ana", consent: "0" };
  pair.reload();
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.chat.mode(pair.now)).toBe("form");
});

test("where nobody is there the e-mail is a must", () => {
  const pair = new Pair(FORM);
  pair.server.is({ open: false });
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.chat.formFields()).toContainEqual({ field: "email", must: true });
});

test("a form that lacked something comes back with what was written", () => {
  const pair = new Pair(FORM);
  pair.server.refuse.push({ code: "form_needed", fields: ["email"] });
  pair.chat.say(pair.now, "id-1", text("oi"), { name: "Ana" });
  pair.settle();
  expect(pair.chat.mode(pair.now)).toBe("form");
  expect(pair.chat.draft).toEqual({ text: "oi", fields: ["email"] });
  pair.chat.say(pair.now, "id-2", text("oi"), { name: "Ana", email: "ana@exemplo.com.br" });
  pair.settle();
  expect(pair.chat.draft).toBeUndefined();
  expect(pair.texts()).toEqual(["oi"]);
});

test("without a network the form can be filled all the same, and leaves when there is one", () => {
  const pair = new Pair(FORM);
  pair.chat.start(pair.now);
  while (pair.chat.pollOutput());
  pair.chat.handleClosed(pair.now);
  pair.now += 3_000;
  expect(pair.chat.isDown(pair.now)).toBe(true);
  expect(pair.chat.mode(pair.now)).toBe("form");
  pair.chat.say(pair.now, "id-1", text("oi"), { name: "Ana" });
  expect(pair.chat.mode(pair.now)).toBe("chat");
  pair.chat.handleOnline(pair.now);
  pair.pass(10_000);
  expect(pair.texts()).toEqual(["oi"]);
});

test("of two states the newer counts, in whatever order they come", () => {
  const pair = new Pair();
  pair.chat.start(pair.now);
  pair.settle();
  const older = { ...pair.server.state, version: 5, position: 3 };
  const newer = { ...pair.server.state, version: 6, position: 2 };
  pair.chat.handleFrame(pair.now, { type: "state", state: newer });
  pair.chat.handleFrame(pair.now, { type: "state", state: older });
  expect(pair.chat.state?.position).toBe(2);
});

test("somebody types until they write, say otherwise, or ten seconds are over", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  pair.server.is({ phase: "agent", typing: true });
  expect(pair.chat.theyType(pair.now)).toBe(true);
  pair.server.say(ANA, text("dois"));
  expect(pair.chat.theyType(pair.now)).toBe(false);
  pair.server.is({ typing: true });
  pair.server.is({ typing: false });
  expect(pair.chat.theyType(pair.now)).toBe(false);
  pair.server.is({ typing: true });
  expect(pair.chat.theyType(pair.now + 9_999)).toBe(true);
  expect(pair.chat.theyType(pair.now + 10_000)).toBe(false);
});

test("typing is told every four seconds, and its end when the box is empty", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.server.is({ phase: "agent" });
  pair.settle();
  pair.pass(1_000);
  pair.types();
  for (let key = 0; key < 50; key += 1) {
    pair.chat.typed(pair.now, false);
    pair.pass(100);
  }
  pair.chat.typed(pair.now, true);
  pair.chat.typed(pair.now, true);
  pair.settle();
  const typing = pair.sent.filter((frame) => frame.type === "typing");
  expect(typing.map((frame) => "on" in frame && frame.on)).toEqual([true, true, false]);
});

test("what came is told once for a burst, and read only while somebody looks", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  for (let count = 0; count < 5; count += 1) pair.server.say(ANA, text("oi"));
  pair.pass(1_000);
  expect(pair.sent.filter(({ type }) => type === "seen")).toEqual([
    { type: "seen", delivered: 6, read: 0 },
  ]);
  expect(pair.chat.unread).toBe(5);
  pair.chat.setVisible(pair.now, true);
  pair.pass(1_000);
  expect(pair.chat.unread).toBe(0);
  expect(pair.server.seen).toEqual({ delivered: 6, read: 6 });
  pair.chat.setVisible(pair.now, false);
  pair.server.say(ANA, text("oi"));
  pair.reload();
  expect(pair.chat.unread).toBe(1);
});

test("the end shows the survey until it is answered; then one may write again", () => {
  const pair = new Pair(FORM);
  pair.server.known = { name: "Ana", consent: "1" };
  pair.chat.start(pair.now);
  pair.settle();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.server.is({ phase: "agent", interaction: "i1" });
  pair.settle();
  pair.chat.ask(pair.now, "id-2", { type: "close" });
  pair.settle();
  expect(pair.chat.mode(pair.now)).toBe("closed");
  expect(pair.chat.survey?.id).toBe("s");
  const answers = [{ question: "q", value: "5" }];
  pair.chat.ask(pair.now, "id-3", { type: "survey", survey: "s", answers });
  expect(pair.chat.survey).toBeNull();
  pair.settle();
  expect(pair.chat.survey).toBeNull();
  pair.chat.again();
  expect(pair.chat.mode(pair.now)).toBe("chat");
});

test("a transcript says that it left, or why not", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  pair.server.refuse.push({ code: "invalid", fields: ["email"] });
  pair.chat.ask(pair.now, "id-2", { type: "transcript", email: "ana" });
  pair.settle();
  expect(pair.chat.notice).toEqual({ of: "transcript", code: "invalid", fields: ["email"] });
  pair.chat.ask(pair.now, "id-3", { type: "transcript", email: "ana@exemplo.com.br" });
  pair.settle();
  expect(pair.chat.notice).toBeUndefined();
  expect(pair.chat.hasSentTranscript).toBe(true);
});

test("a file goes up first and holds up nothing meanwhile", () => {
  const pair = new Pair();
  const file = { name: "a.png", mime: "image/png", bytes: 10 };
  pair.chat.start(pair.now);
  pair.settle();
  pair.chat.attach(pair.now, "id-1", file);
  pair.chat.say(pair.now, "id-2", text("um"));
  pair.settle();
  expect(pair.outputs).toContainEqual({ do: "upload", id: "id-1" });
  expect(pair.texts()).toEqual(["um"]);
  pair.chat.handleProgress("id-1", 0.5);
  expect(pair.chat.pending[0]?.state).toEqual({ is: "uploading", progress: 0.5 });
  pair.chat.handleUploadFailed(pair.now, "id-1", "unavailable");
  pair.outputs.length = 0;
  pair.pass(9_999);
  expect(pair.outputs.filter((out) => out.do === "upload")).toEqual([]);
  pair.pass(1);
  expect(pair.outputs.filter((out) => out.do === "upload")).toEqual([{ do: "upload", id: "id-1" }]);
  pair.chat.handleUploaded(pair.now, "id-1", "u1");
  pair.settle();
  expect(pair.sent.at(-1)).toMatchObject({ type: "send", content: { kind: "file", upload: "u1" } });
  expect(pair.chat.messages.length).toBe(2);
  expect(pair.outputs).toContainEqual({ do: "drop", id: "id-1" });
});

test("an upload that the server forgot goes up anew when it is tried again", () => {
  const pair = new Pair();
  pair.chat.attach(pair.now, "id-1", { name: "a.png", mime: "image/png", bytes: 10 });
  pair.settle();
  pair.chat.handleUploaded(pair.now, "id-1", "u1");
  pair.server.refuse.push({ code: "upload" });
  pair.settle();
  expect(pair.chat.pending[0]?.state).toEqual({ is: "failed", code: "upload" });
  pair.outputs.length = 0;
  pair.chat.retry(pair.now, "id-1");
  pair.settle();
  expect(pair.outputs).toContainEqual({ do: "upload", id: "id-1" });
});

test("a file can be taken back while it goes up, and not once it left", () => {
  const pair = new Pair();
  pair.chat.start(pair.now);
  pair.settle();
  pair.chat.attach(pair.now, "id-1", { name: "a.png", mime: "image/png", bytes: 10 });
  pair.chat.cancel(pair.now, "id-1");
  pair.settle();
  expect(pair.outputs).toContainEqual({ do: "drop", id: "id-1" });
  expect(pair.chat.pending).toEqual([]);
  pair.peer = undefined;
  pair.chat.say(pair.now, "id-2", text("um"));
  pair.settle();
  pair.chat.cancel(pair.now, "id-2");
  expect(pair.chat.pending.map(({ id }) => id)).toEqual(["id-2"]);
});

test("an identity that does not hold is told to the page and not shown again", () => {
  const pair = new Pair();
  const identity = { user_id: "C-991", hash: "00" };
  pair.chat.identify(pair.now, identity);
  pair.chat.start(pair.now);
  pair.settle();
  expect(pair.sent[0]).toMatchObject({ type: "hello", identity });
  pair.chat.handleFrame(
    pair.now,
    readFrame('{"type":"error","code":"identity"}') ?? { type: "alive" },
  );
  pair.settle();
  expect(pair.outputs).toContainEqual({ do: "identityRefused" });
  pair.chat.handleClosed(pair.now);
  pair.sent.length = 0;
  pair.pass(1_000);
  expect(pair.sent[0]).not.toHaveProperty("identity");
});

test("after a log-out nothing is left of who was there", () => {
  const pair = new Pair();
  pair.chat.identify(pair.now, { user_id: "C-991", hash: "00" });
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  pair.server.messages.length = 0;
  pair.chat.logout(pair.now);
  expect(pair.chat.messages).toEqual([]);
  for (const what of ["token", "thread", "state"] as const) {
    expect(pair.chat.kept(what)).toBeUndefined();
  }
  pair.sent.length = 0;
  pair.pass(1_000);
  expect(pair.sent[0]).toMatchObject({ type: "hello", after_seq: 0 });
  expect(pair.sent[0]).not.toHaveProperty("token");
  expect(pair.sent[0]).not.toHaveProperty("identity");
});

test("who turns out to be somebody else loses sight of what was there", () => {
  const pair = new Pair();
  pair.chat.say(pair.now, "id-1", text("um"));
  pair.settle();
  expect(pair.texts()).toEqual(["um"]);
  const welcome = readFrame(
    '{"type":"welcome","token":"t","visitor":"w","conversation":"c2","last_seq":1,"known":{},"identified":true,"now_ms":1}',
  );
  pair.chat.handleFrame(pair.now, welcome ?? { type: "alive" });
  expect(pair.texts()).toEqual([]);
  expect(pair.chat.isIdentified).toBe(true);
});

test("a page that the server sends away stays away", () => {
  for (const code of ["blocked", "origin", "channel", "version"]) {
    const pair = new Pair();
    pair.chat.start(pair.now);
    pair.settle();
    pair.chat.handleClosed(pair.now, code);
    pair.types();
    pair.pass(600_000);
    expect(pair.types()).toEqual([]);
    expect(pair.chat.over).toBe(code);
  }
});
