// What the visitor wants to be sent: kept until the server has it, sent one at a time and in order.

import type { ClientFrame, Request } from "../protocol.ts";

/** How far something has come on its way. */
export type PendingState =
  /** A file goes up; from 0 to 1. It leaves when the upload has an id. */
  | { is: "uploading"; progress: number }
  | { is: "queued" }
  /** Sent; sent again at `again` unless it was answered. */
  | { is: "sent"; again: number }
  /** The server said that it has to wait. */
  | { is: "held"; until: number }
  /** The server has it under this number; shown until it comes back as a message. */
  | { is: "kept"; seq: number }
  /** It will not leave by itself; the code says why. */
  | { is: "failed"; code: string };

/** Something on its way. */
export interface Pending {
  id: string;
  at_ms: number;
  request: Request;
  /** The name and size of the file that goes with it. */
  file?: { name: string; mime: string; bytes: number };
  state: PendingState;
}

/** The same, as it is kept. */
export type KeptPending = Omit<Pending, "state"> & { failed?: string };

/** What is on its way. */
export class Outbox {
  #pending: Pending[] = [];

  get pending(): readonly Pending[] {
    return this.#pending;
  }

  find(id: string): Pending | undefined {
    return this.#pending.find((one) => one.id === id);
  }

  add(pending: Omit<Pending, "state">): void {
    const uploads = pending.file !== undefined && !hasUpload(pending.request);
    const state: PendingState = uploads ? { is: "uploading", progress: 0 } : { is: "queued" };
    this.#pending.push({ ...pending, state });
  }

  remove(id: string): void {
    this.#pending = this.#pending.filter((one) => one.id !== id);
  }

  clear(): void {
    this.#pending = [];
  }

  /** Tries again what failed. */
  retry(id: string): void {
    const one = this.find(id);
    if (one?.state.is !== "failed") return;
    const uploads = one.file !== undefined && !hasUpload(one.request);
    one.state = uploads ? { is: "uploading", progress: 0 } : { is: "queued" };
  }

  progress(id: string, progress: number): void {
    const one = this.find(id);
    if (one?.state.is === "uploading") one.state = { is: "uploading", progress };
  }

  uploaded(id: string, upload: string): void {
    const one = this.find(id);
    if (one?.state.is !== "uploading" || one.request.type !== "send") return;
    const { content } = one.request;
    if (content.kind === "file") one.request = { ...one.request, content: { ...content, upload } };
    one.state = { is: "queued" };
  }

  fail(id: string, code: string): void {
    const one = this.find(id);
    if (!one) return;
    if (code === "upload" && one.request.type === "send" && one.request.content.kind === "file") {
      // The file is to go up anew.
      one.request = { ...one.request, content: { ...one.request.content, upload: "" } };
    }
    one.state = { is: "failed", code };
  }

  hold(id: string, until: number): void {
    const one = this.find(id);
    if (one) one.state = { is: "held", until };
  }

  /** The server has it. What is no message is done with. */
  acknowledged(id: string, seq: number | null): void {
    const one = this.find(id);
    if (one?.request.type === "send" && seq !== null) one.state = { is: "kept", seq };
    else this.remove(id);
  }

  /** These came back, and so did everything up to `last`. */
  settle(ids: ReadonlySet<string>, last: number): void {
    this.#pending = this.#pending.filter(
      ({ id, state }) => !ids.has(id) && !(state.is === "kept" && state.seq <= last),
    );
  }

  /** The connection is gone: whatever was sent and not answered is sent again. */
  handleClosed(): void {
    for (const one of this.#pending) if (one.state.is === "sent") one.state = { is: "queued" };
  }

  /** When something here is due. Nothing is while something waits for its answer. */
  pollTimeout(): number | undefined {
    const one = this.#next();
    if (one?.state.is === "sent") return one.state.again;
    if (one?.state.is === "held") return one.state.until;
    return one?.state.is === "queued" ? 0 : undefined;
  }

  /** The next that leaves now, if any does. */
  poll(now: number): ClientFrame | undefined {
    const one = this.#next();
    const due = this.pollTimeout();
    if (!one || due === undefined || now < due) return undefined;
    one.state = { is: "sent", again: now + ANSWER_MS };
    return { ...one.request, client_message_id: one.id };
  }

  kept(): KeptPending[] {
    return this.#pending
      .filter(({ state }) => state.is !== "kept")
      .map(({ state, ...one }) => (state.is === "failed" ? { ...one, failed: state.code } : one));
  }

  restore(kept: readonly KeptPending[]): void {
    for (const { failed, ...one } of kept) {
      if (this.find(one.id)) continue;
      this.add(one);
      if (failed !== undefined) this.fail(one.id, failed);
    }
  }

  /** The first that can leave: what failed, and files that still go up, hold up nothing. */
  #next(): Pending | undefined {
    return this.#pending.find(({ state }) => !PASSED_BY.includes(state.is));
  }
}

function hasUpload(request: Request): boolean {
  return (
    request.type === "send" && request.content.kind === "file" && request.content.upload !== ""
  );
}

const PASSED_BY: PendingState["is"][] = ["failed", "uploading", "kept"];

/** An answer that is not there after this is asked for again: the server knows the id. */
const ANSWER_MS = 15_000;
