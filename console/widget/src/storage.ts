// What outlives a page: words in the browser's storage, files in its database. A browser may deny
// either to a frame of another site; then it is kept as long as the page.

import type { Kept } from "./machine/chat.ts";

/** Texts under names. */
export class Shelf {
  readonly #prefix: string;
  readonly #fallback = new Map<string, string>();
  readonly #storage: Storage | undefined;

  constructor(which: "localStorage" | "sessionStorage", prefix: string) {
    this.#prefix = prefix;
    try {
      this.#storage = window[which];
    } catch {
      // Denied: the fallback serves.
    }
  }

  read(name: string): unknown {
    let text: string | null | undefined;
    try {
      text = this.#storage?.getItem(this.#prefix + name);
    } catch {
      // As above.
    }
    try {
      return JSON.parse(text ?? this.#fallback.get(name) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) this.#fallback.delete(name);
    else this.#fallback.set(name, text);
    try {
      if (text === undefined) this.#storage?.removeItem(this.#prefix + name);
      else this.#storage?.setItem(this.#prefix + name, text);
    } catch {
      // Full or denied.
    }
  }
}

/** What of a conversation is kept for the visitor's next visit, and what for their next page alone. */
export class Memory {
  readonly visit: Shelf;
  readonly #page: Shelf;

  constructor(channel: string) {
    this.visit = new Shelf("localStorage", `ramal:${channel}:`);
    this.#page = new Shelf("sessionStorage", `ramal:${channel}:`);
  }

  read(now: number): Kept {
    const kept: Record<string, unknown> = {};
    for (const name of VISIT) kept[name] = this.visit.read(name);
    // Links to files in it die within a day.
    const at = this.#page.read("at");
    const isFresh = typeof at === "number" && now - at < THREAD_KEPT_MS;
    if (isFresh) for (const name of PAGE) kept[name] = this.#page.read(name);
    const entries = Object.entries(kept).filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries) as Kept;
  }

  write(now: number, name: keyof Kept, value: unknown): void {
    if ((VISIT as readonly string[]).includes(name)) {
      this.visit.write(name, value);
    } else {
      this.#page.write(name, value);
      this.#page.write("at", now);
    }
  }
}

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
