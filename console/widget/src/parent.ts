// The page that shows us, through the loader. What comes from anybody else is nothing.

import type { Theme } from "./config.ts";
import type { Identity, Page } from "./protocol.ts";
import { present } from "./protocol.ts";

/** What the loader says. */
export type FromLoader =
  | { type: "start"; language: string | null; theme: Theme; page: Page }
  | { type: "opened" }
  | { type: "closed" }
  | { type: "page"; page: Page }
  | { type: "language"; language: string }
  | { type: "theme"; theme: Theme }
  | { type: "identify"; identity: Identity }
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
  | { type: "labels"; open: string; close: string; title: string; dismiss: string };

/** Whether a page of this origin may show us. */
export function allows(origins: readonly string[], origin: string): boolean {
  return origins.some((allowed) => {
    const [scheme, host] = allowed.split("://*.");
    if (host === undefined) return allowed === origin;
    return origin.startsWith(`${scheme}://`) && origin.endsWith(`.${host}`);
  });
}

/** The page that shows us. */
export class Parent {
  readonly #origins: readonly string[];
  #origin: string | undefined;

  constructor(origins: readonly string[]) {
    this.#origins = [...origins, location.origin];
  }

  listen(heard: (message: FromLoader) => void): void {
    window.addEventListener("message", ({ source, origin, data }: MessageEvent<unknown>) => {
      if (source !== window.parent || !allows(this.#origins, origin)) return;
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
      };
    case "page":
      return { type: "page", page: page(given.page) };
    case "language":
      return { type: "language", language: text(given.language) ?? "" };
    case "theme":
      return { type: "theme", theme: theme(given.theme) };
    case "identify": {
      const { user_id, hash, name, email, phone } = fields(given.identity);
      return {
        type: "identify",
        identity: {
          user_id: text(user_id) ?? "",
          hash: text(hash) ?? "",
          ...present({ name: text(name), email: text(email), phone: text(phone) }),
        },
      };
    }
    default:
      return undefined;
  }
}

function page(of: unknown): Page {
  const { url, title } = fields(of);
  return { url: (text(url) ?? "").slice(0, 1_000), title: (text(title) ?? "").slice(0, 200) };
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
