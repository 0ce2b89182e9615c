// What outlives a page: words in the browser's storage, files in its database. A browser may deny
// either to a frame of another site.

import type { Kept } from "./machine/chat.ts";
import type { KeptTexts } from "./parent.ts";

/** Texts under names. */
class Shelf {
  readonly #storage: Storage | undefined;
  readonly #prefix: string;
  /** What is there as long as the page is. */
  readonly texts: KeptTexts = {};

  constructor(which: "localStorage" | "sessionStorage", prefix: string) {
    this.#prefix = prefix;
    try {
      this.#storage = window[which];
      this.#storage.getItem("");
    } catch {
      this.#storage = undefined;
    }
  }

  get isDenied(): boolean {
    return this.#storage === undefined;
  }

  read(name: string): unknown {
    try {
      const text = this.texts[name] ?? this.#storage?.getItem(this.#prefix + name);
      return JSON.parse(text ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) delete this.texts[name];
    else this.texts[name] = text;
    try {
      if (text === undefined) this.#storage?.removeItem(this.#prefix + name);
      else this.#storage?.setItem(this.#prefix + name, text);
    } catch {
      // Full: then it is there as long as the page.
    }
  }
}

/** What of a conversation is kept for the visitor's next visit, and what for their next page alone. */
export class Memory {
  readonly #visit: Shelf;
  readonly #page: Shelf;
  readonly #give: (texts: KeptTexts) => void;

  /** Where the browser denies us a storage, the page that shows us keeps what it is given and `kept`
      is what it had: who we are and what waits to be sent, never what was written. */
  constructor(channel: string, kept: KeptTexts, give: (texts: KeptTexts) => void) {
    this.#visit = new Shelf("localStorage", `ramal:${channel}:`);
    this.#page = new Shelf("sessionStorage", `ramal:${channel}:`);
    this.#give = give;
    if (this.#visit.isDenied) Object.assign(this.#visit.texts, kept);
  }

  read(name: Setting): unknown {
    return this.#visit.read(name);
  }

  write(name: Setting | (typeof VISIT)[number], value: unknown): void {
    this.#visit.write(name, value);
    if (this.#visit.isDenied) this.#give(this.#visit.texts);
  }

  readChat(now: number): Kept {
    const kept: Record<string, unknown> = {};
    for (const name of VISIT) kept[name] = this.#visit.read(name);
    // Links to files in it die within a day.
    const at = this.#page.read("at");
    const isFresh = typeof at === "number" && now - at < THREAD_KEPT_MS;
    if (isFresh) for (const name of PAGE) kept[name] = this.#page.read(name);
    const entries = Object.entries(kept).filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries) as Kept;
  }

  writeChat(now: number, name: keyof Kept, value: unknown): void {
    if (name === "thread" || name === "state") {
      this.#page.write(name, value);
      this.#page.write("at", now);
    } else {
      this.write(name, value);
    }
  }
}

/** What the visitor chose, and has in the box. */
export type Setting = "sound" | "language" | "unsent";

const VISIT = ["token", "outbox", "read"] as const;
const PAGE = ["thread", "state"] as const;

/** Links in messages are good for a day. */
const THREAD_KEPT_MS = 12 * 3_600_000;

/** Files that have not gone up. */
export class FileShelf {
  readonly #files = new Map<string, File>();
  #database: Promise<IDBDatabase | undefined> | undefined;

  async put(id: string, file: File): Promise<void> {
    this.#files.set(id, file);
    await this.#with("readwrite", (store) => store.put(file, id));
  }

  /** One that is at hand without waiting. */
  peek(id: string): File | undefined {
    return this.#files.get(id);
  }

  async find(id: string): Promise<File | undefined> {
    const file = this.#files.get(id) ?? (await this.#with("readonly", (store) => store.get(id)));
    if (!(file instanceof File)) return undefined;
    this.#files.set(id, file);
    return file;
  }

  async drop(id: string): Promise<void> {
    this.#files.delete(id);
    await this.#with("readwrite", (store) => store.delete(id));
  }

  async #with(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest,
  ): Promise<unknown> {
    this.#database ??= opened();
    const database = await this.#database;
    if (!database) return undefined;
    return new Promise((resolve) => {
      try {
        const request = act(database.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(undefined);
      } catch {
        resolve(undefined);
      }
    });
  }
}

function opened(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open("ramal", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
      request.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

const STORE = "files";
