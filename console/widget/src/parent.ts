// The page that shows us, through the loader. What comes from anybody else is nothing.

import type { Theme } from "./config.ts";
import type { Identity, Page } from "./protocol.ts";
import { present } from "./protocol.ts";

/** What the loader says. */
export type FromLoader =
  /** `kept` is what we gave to keep, as text by its name. */
  | { type: "start"; language: string | null; theme: Theme; page: Page; kept: KeptTexts }
  | { type: "opened" }
  | { type: "closed" }
  | { type: "page"; page: Page }
  | { type: "language"; language: string }
  | { type: "theme"; theme: Theme }
  /** Nothing where the page said nothing that could be somebody. */
  | { type: "identify"; identity: Identity | undefined }
  | { type: "logout" };

/** What we say to the loader. */
export type ToLoader =
  /** There is a conversation: load the frame at once from now on. */
  | { type: "started" }
  /** There is none any more. */
  | { type: "forgotten" }
  /** So many messages nobody has seen; the last of them begins so. */
  | { type: "unread"; count: number; label: string; text: string }
  /** Close us, and give the focus back. */
  | { type: "close" }
  | { type: "identity_refused" }
  /** In this language from now on. */
  | { type: "labels"; open: string; close: string; dismiss: string }
  /** Keep this for the next page, or forget it: this browser denies us a storage of our own. */
  | { type: "keep"; kept: KeptTexts };

/** Texts by their names. */
export type KeptTexts = Record<string, string>;

/** The page that shows us. */
export class Parent {
  readonly #origins: readonly string[];
  #origin: string | undefined;

  constructor(origins: readonly string[]) {
    this.#origins = [...origins, location.origin];
  }

  listen(heard: (message: FromLoader) => void): void {
    window.addEventListener("message", ({ source, origin, data }: MessageEvent<unknown>) => {
      if (source !== window.parent || !this.#origins.includes(origin)) return;
      this.#origin = origin;
      const message = read(data);
      if (message) heard(message);
    });
  }

  tell(message: ToLoader): void {
    // Before it spoke to us there is nobody to tell.
    if (this.#origin !== undefined) {
      window.parent.postMessage({ ramal: 1, ...message }, this.#origin);
    }
  }
}

function read(data: unknown): FromLoader | undefined {
  const given = fields(data);
  if (given.ramal !== 1) return undefined;
  switch (given.type) {
    case "opened":
    case "closed":
    case "logout":
      return { type: given.type };
    case "start":
      return {
        type: "start",
        language: text(given.language) ?? null,
        theme: theme(given.theme),
        page: page(given.page),
        kept: texts(given.kept),
      };
    case "page":
      return { type: "page", page: page(given.page) };
    case "language":
      return { type: "language", language: text(given.language) ?? "" };
    case "theme":
      return { type: "theme", theme: theme(given.theme) };
    case "identify":
      return { type: "identify", identity: identity(fields(given.identity)) };
    default:
      return undefined;
  }
}

function identity(given: Record<string, unknown>): Identity | undefined {
  const user = text(given.user_id) ?? "";
  const hash = text(given.hash) ?? "";
  const { length } = new TextEncoder().encode(user);
  if (length === 0 || length > USER_BYTES_MAX || hash.length > HASH_CHARS_MAX) return undefined;
  const { name, email, phone } = given;
  const more = present({ name: text(name), email: text(email), phone: text(phone) });
  return { user_id: user, hash, ...more };
}

function page(of: unknown): Page {
  const { url, title } = fields(of);
  return { url: (text(url) ?? "").slice(0, 1_000), title: (text(title) ?? "").slice(0, 200) };
}

function texts(of: unknown): KeptTexts {
  const entries = Object.entries(fields(of));
  return Object.fromEntries(entries.filter(([, one]) => typeof one === "string")) as KeptTexts;
}

function theme(of: unknown): Theme {
  return of === "light" || of === "dark" ? of : "auto";
}

function text(of: unknown): string | undefined {
  if (typeof of === "string") return of;
  // Shops number their customers.
  return typeof of === "number" ? String(of) : undefined;
}

function fields(of: unknown): Record<string, unknown> {
  return typeof of === "object" && of !== null ? (of as Record<string, unknown>) : {};
}

/** The longest id of a user that the server reads, in bytes. */
const USER_BYTES_MAX = 200;

/** SHA-256 in hexadecimal has 64 characters; what is longer than this the server does not read. */
const HASH_CHARS_MAX = 128;
