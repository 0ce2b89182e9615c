// The frames of PROTOCOL.md as types, and the one place where what comes from outside is believed.

/** What a visitor writes. */
export type Said =
  | { kind: "text"; text: string }
  | { kind: "file"; upload: string; caption?: string }
  | { kind: "choice"; of: number; id: string; title: string };

/** What was asked before the first message of a matter. */
export interface FormAnswers {
  name?: string;
  email?: string;
  phone?: string;
  service?: string;
  consent?: { version: string; at_ms: number };
}

/** The shop's page, without query and fragment. */
export interface Page {
  url: string;
  title: string;
}

/** Who the shop says that the visitor is; `hash` proves `user_id` and nothing else. */
export interface Identity {
  user_id: string;
  hash: string;
  name?: string;
  email?: string;
  phone?: string;
}

/** An answer of a survey. */
export interface SurveyValue {
  question: string;
  value: string;
}

/** What the server acknowledges by `client_message_id`. */
export type Request =
  | { type: "send"; content: Said; form?: FormAnswers; page?: Page }
  | { type: "survey"; survey: string; answers: SurveyValue[] }
  | { type: "transcript"; email: string }
  | { type: "close" };

/** What we send. */
export type ClientFrame =
  | {
      type: "hello";
      v: 1;
      token?: string;
      identity?: Identity;
      language: string;
      after_seq: number;
      conversation?: string;
      page?: Page;
    }
  | (Request & { client_message_id: string })
  | { type: "typing"; on: boolean }
  | { type: "seen"; delivered: number; read: number }
  | { type: "resume"; after_seq: number }
  | { type: "history"; before_seq: number }
  | { type: "identify"; identity: Identity };

/** A file of a message. */
export interface FileContent {
  kind: "image" | "video" | "audio" | "document";
  name: string;
  mime: string;
  bytes: number;
  url: string;
  thumb?: string;
  width?: number;
  height?: number;
}

/** An answer to choose. */
export interface Choice {
  id: string;
  title: string;
  description?: string;
}

/** What is in a message. */
export type Content =
  | { kind: "text"; text: string }
  | { kind: "file"; file: FileContent; caption?: string }
  | { kind: "choices"; text: string; footer?: string; choices: Choice[] }
  | { kind: "choice"; id: string; title: string }
  | { kind: "location"; latitude: number; longitude: number; name?: string; address?: string }
  | { kind: "unsupported" };

/** Who wrote. */
export interface Author {
  kind: "visitor" | "agent" | "bot" | "system";
  name?: string;
  avatar?: string;
}

/** One utterance, numbered within its conversation. */
export interface Message {
  seq: number;
  id: string;
  interaction: string;
  at_ms: number;
  author: Author;
  content: Content;
  client_message_id?: string;
}

/** A question of a survey. */
export interface Question {
  id: string;
  kind: "stars" | "nps" | "choice" | "text";
  text: string;
  required: boolean;
  choices: Choice[];
}

/** What is asked when a matter is over. */
export interface Survey {
  id: string;
  questions: Question[];
}

/** Where a matter stands. */
export type Phase = "idle" | "bot" | "waiting" | "agent" | "closed";

/** How everything is, whole. The one with the largest `version` counts. */
export interface State {
  version: number;
  phase: Phase;
  interaction: string | null;
  protocol: string | null;
  service: { id: string; name: string } | null;
  position: number | null;
  wait_ms: number | null;
  agent: { name: string; avatar: string | null } | null;
  typing: boolean;
  read_seq: number;
  open: boolean;
  opens_ms: number | null;
  away: string | null;
  survey: Survey | null;
}

/** What the visitor told before. */
export interface Known {
  name?: string;
  email?: string;
  phone?: string;
  consent?: string;
}

/** What the server sends. */
export type ServerFrame =
  | {
      type: "welcome";
      token: string;
      visitor: string;
      conversation: string | null;
      last_seq: number;
      known: Known;
      identified: boolean;
      now_ms: number;
    }
  | { type: "state"; state: State }
  | {
      type: "messages";
      conversation: string;
      after: number;
      messages: Message[];
      reset: boolean;
    }
  | { type: "history"; before: number; messages: Message[]; more: boolean }
  | { type: "ack"; client_message_id: string; seq: number | null; at_ms: number }
  | {
      type: "error";
      code: string;
      client_message_id: string | null;
      fields: string[];
      retry_after_ms: number | null;
    }
  | { type: "alive" };

type Fields = Record<string, unknown>;

/** Reads a frame of the server. What is not one is nothing: a newer server may say more than we know. */
export function readFrame(text: string): ServerFrame | undefined {
  try {
    return frame(fields(JSON.parse(text)));
  } catch {
    return undefined;
  }
}

function frame(of: Fields): ServerFrame | undefined {
  switch (of.type) {
    case "welcome":
      return {
        type: "welcome",
        token: must(string(of.token)),
        visitor: must(string(of.visitor)),
        conversation: string(of.conversation) ?? null,
        last_seq: number(of.last_seq) ?? 0,
        known: known(of.known),
        identified: of.identified === true,
        now_ms: must(number(of.now_ms)),
      };
    case "state":
      return { type: "state", state: state(of) };
    case "messages":
      return {
        type: "messages",
        conversation: must(string(of.conversation)),
        after: must(number(of.after)),
        messages: list(of.messages).map(message),
        reset: of.reset === true,
      };
    case "history":
      return {
        type: "history",
        before: must(number(of.before)),
        messages: list(of.messages).map(message),
        more: of.more === true,
      };
    case "ack":
      return {
        type: "ack",
        client_message_id: must(string(of.client_message_id)),
        seq: number(of.seq) ?? null,
        at_ms: number(of.at_ms) ?? 0,
      };
    case "error":
      return {
        type: "error",
        code: must(string(of.code)),
        client_message_id: string(of.client_message_id) ?? null,
        fields: list(of.fields).flatMap((field) => string(field) ?? []),
        retry_after_ms: number(of.retry_after_ms) ?? null,
      };
    case "alive":
      return { type: "alive" };
    default:
      return undefined;
  }
}

function known(of: unknown): Known {
  const { name, email, phone, consent } = fields(of);
  return present({
    name: string(name),
    email: string(email),
    phone: string(phone),
    consent: string(consent),
  });
}

function state(of: Fields): State {
  const service = maybe(of.service);
  const agent = maybe(of.agent);
  return {
    version: must(number(of.version)),
    phase: oneOf(of.phase, ["idle", "bot", "waiting", "agent", "closed"]) ?? "idle",
    interaction: string(of.interaction) ?? null,
    protocol: string(of.protocol) ?? null,
    service: service && { id: string(service.id) ?? "", name: string(service.name) ?? "" },
    position: number(of.position) ?? null,
    wait_ms: number(of.wait_ms) ?? null,
    agent: agent && { name: string(agent.name) ?? "", avatar: path(agent.avatar) ?? null },
    typing: of.typing === true,
    read_seq: number(of.read_seq) ?? 0,
    open: of.open !== false,
    opens_ms: number(of.opens_ms) ?? null,
    away: string(of.away) ?? null,
    survey: survey(of.survey),
  };
}

function survey(of: unknown): Survey | null {
  const asked = maybe(of);
  if (!asked) return null;
  const questions = list(asked.questions).flatMap(question);
  return questions.length > 0 ? { id: must(string(asked.id)), questions } : null;
}

function question(of: unknown): Question[] {
  const asked = fields(of);
  const kind = oneOf(asked.kind, ["stars", "nps", "choice", "text"]);
  const id = string(asked.id);
  if (!kind || !id) return [];
  const text = string(asked.text) ?? "";
  const required = asked.required === true;
  return [{ id, kind, text, required, choices: choices(asked.choices) }];
}

function message(of: unknown): Message {
  const given = fields(of);
  const author = fields(given.author);
  return {
    seq: must(number(given.seq)),
    id: string(given.id) ?? "",
    interaction: string(given.interaction) ?? "",
    at_ms: number(given.at_ms) ?? 0,
    author: {
      kind: oneOf(author.kind, ["visitor", "agent", "bot", "system"]) ?? "system",
      ...present({ name: string(author.name), avatar: path(author.avatar) }),
    },
    content: content(fields(given.content)),
    ...present({ client_message_id: string(given.client_message_id) }),
  };
}

function content(of: Fields): Content {
  const text = string(of.text);
  const id = string(of.id);
  const title = string(of.title);
  const latitude = number(of.latitude);
  const longitude = number(of.longitude);
  const attached = file(maybe(of.file));
  switch (of.kind) {
    case "text":
      return text === undefined ? UNSUPPORTED : { kind: "text", text };
    case "file":
      return attached
        ? { kind: "file", file: attached, ...present({ caption: string(of.caption) }) }
        : UNSUPPORTED;
    case "choices":
      return {
        kind: "choices",
        text: text ?? "",
        choices: choices(of.choices),
        ...present({ footer: string(of.footer) }),
      };
    case "choice":
      return id === undefined || title === undefined ? UNSUPPORTED : { kind: "choice", id, title };
    case "location":
      return latitude === undefined || longitude === undefined
        ? UNSUPPORTED
        : {
            kind: "location",
            latitude,
            longitude,
            ...present({ name: string(of.name), address: string(of.address) }),
          };
    default:
      return UNSUPPORTED;
  }
}

function file(of: Fields | null): FileContent | undefined {
  const url = path(of?.url);
  if (!of || url === undefined) return undefined;
  return {
    kind: oneOf(of.kind, ["image", "video", "audio", "document"]) ?? "document",
    name: string(of.name) ?? "",
    mime: string(of.mime) ?? "",
    bytes: number(of.bytes) ?? 0,
    url,
    ...present({
      thumb: path(of.thumb),
      width: number(of.width),
      height: number(of.height),
    }),
  };
}

function choices(of: unknown): Choice[] {
  return list(of).flatMap((one) => {
    const given = fields(one);
    const id = string(given.id);
    const title = string(given.title);
    if (id === undefined || title === undefined) return [];
    return [{ id, title, ...present({ description: string(given.description) }) }];
  });
}

/** A path on our own origin: a link to elsewhere would tell a stranger who reads, and `javascript:` is worse. */
function path(of: unknown): string | undefined {
  const text = string(of);
  return text !== undefined && /^\/(?![/\\])/.test(text) ? text : undefined;
}

function fields(of: unknown): Fields {
  return maybe(of) ?? {};
}

function maybe(of: unknown): Fields | null {
  return typeof of === "object" && of !== null && !Array.isArray(of) ? (of as Fields) : null;
}

function list(of: unknown): unknown[] {
  return Array.isArray(of) ? of : [];
}

function string(of: unknown): string | undefined {
  return typeof of === "string" ? of : undefined;
}

function number(of: unknown): number | undefined {
  return typeof of === "number" && Number.isFinite(of) ? of : undefined;
}

function oneOf<T extends string>(of: unknown, words: readonly T[]): T | undefined {
  return words.find((word) => word === of);
}

function must<T>(of: T | undefined): T {
  if (of === undefined) throw new TypeError("a field is missing");
  return of;
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The same without the fields that are not there. */
export function present<T extends object>(of: T): Present<T> {
  const entries = Object.entries(of).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Present<T>;
}

const UNSUPPORTED: Content = { kind: "unsupported" };
