// How frames get to the server and back: a WebSocket, or requests that look like one.

import { type ClientFrame, readFrame, type ServerFrame } from "./protocol.ts";

/** Frames to and fro. After `closed` nothing comes. */
export interface Wire {
  send(frame: ClientFrame): void;
  close(): void;
}

/** What a wire says. */
export interface Ear {
  opened(): void;
  frame(frame: ServerFrame): void;
  /** `why` is a code of the protocol, where the server said one. */
  closed(why?: string): void;
}

/** How far the client is: what a poll asks behind. */
export interface Place {
  token: string | undefined;
  after_seq: number;
  conversation: string | null;
  state: number;
}

export function socketWire(address: string, ear: Ear): Wire {
  const socket = new WebSocket(`${address.replace(/^http/, "ws")}/socket`);
  let isOver = false;
  const end = (why?: string) => {
    if (isOver) return;
    isOver = true;
    ear.closed(why);
  };
  socket.onopen = () => ear.opened();
  socket.onmessage = ({ data }) => {
    const frame = typeof data === "string" ? readFrame(data) : undefined;
    if (frame && !isOver) ear.frame(frame);
  };
  socket.onclose = ({ code, reason }) => end(code === CLOSED_FOR_A_REASON ? reason : undefined);
  return {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
    },
    close: () => {
      isOver = true;
      socket.close();
    },
  };
}

export function pollWire(address: string, place: () => Place, ear: Ear): Wire {
  const waiting: ClientFrame[] = [];
  const ended = new AbortController();
  let isPosting = false;
  let isPolling = false;

  const end = () => {
    if (ended.signal.aborted) return;
    ended.abort();
    ear.closed();
  };

  const take = async (response: Response) => {
    const body: unknown = await response.json();
    const frames = (body as { frames?: unknown }).frames;
    for (const one of Array.isArray(frames) ? frames : []) {
      const frame = readFrame(JSON.stringify(one));
      if (!frame || ended.signal.aborted) continue;
      ear.frame(frame);
      if (frame.type === "welcome") void poll();
    }
    return response.ok;
  };

  const asked = (path: string, init: RequestInit, ms: number) => {
    const token = place().token;
    const timer = setTimeout(end, ms);
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const request = fetch(address + path, { ...init, headers, signal: ended.signal });
    return request.then(take).finally(() => clearTimeout(timer));
  };

  const post = async () => {
    if (isPosting) return;
    isPosting = true;
    try {
      while (waiting.length > 0) {
        const frames = waiting.splice(0, FRAMES_MAX);
        const headers = { "content-type": "application/json" };
        const init = { method: "POST", headers, body: JSON.stringify({ frames }) };
        if (!(await asked("/frames", init, POST_MS))) end();
      }
    } catch {
      end();
    }
    isPosting = false;
  };

  const poll = async () => {
    if (isPolling) return;
    isPolling = true;
    try {
      for (let good = true; good && !ended.signal.aborted; ) {
        const { after_seq, conversation, state } = place();
        const query = new URLSearchParams({ after_seq: String(after_seq), state: String(state) });
        if (conversation !== null) query.set("conversation", conversation);
        good = await asked(`/frames?${query}`, {}, POLL_MS);
        if (good && !ended.signal.aborted) ear.frame({ type: "alive" });
      }
    } catch {
      // Below.
    }
    end();
  };

  queueMicrotask(() => ear.opened());
  return {
    send: (frame) => {
      // Each poll says how far we are.
      if (frame.type !== "resume") waiting.push(frame);
      void post();
    },
    close: () => ended.abort(),
  };
}

/** The status with which the server closes a socket for a reason that it names. */
const CLOSED_FOR_A_REASON = 4000;

/** Frames in one request: what the server takes. */
const FRAMES_MAX = 20;

/** The server answers a poll after 25 s at the latest. */
const POLL_MS = 40_000;

/** As long as an answer may take. */
const POST_MS = 15_000;
