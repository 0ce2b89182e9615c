// The same machine over a network that loses, doubles and delays frames and breaks connections, under
// seeds: whatever it does, both sides end with the same messages, each once and in order.

import { expect, test } from "vitest";
import { Chat } from "../src/machine/chat.ts";
import { type ClientFrame, readFrame } from "../src/protocol.ts";
import { ModelServer, type Peer } from "./model.ts";

interface Network {
  loss: number;
  double: number;
  break: number;
  delay_ms: number;
}

/** Mulberry32: small, even, the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class World {
  now = 0;
  readonly chance: () => number;
  readonly server: ModelServer;
  readonly chat: Chat;
  network: Network;
  #events: { at: number; order: number; happen: () => void }[] = [];
  #order = 0;
  #wire = 0;
  #peer: Peer | undefined;

  constructor(seed: number, network: Network) {
    this.chance = seeded(seed);
    this.network = network;
    const hidden = (seq: number) => seq % 7 === 3;
    this.server = new ModelServer(() => this.now, { hidden });
    this.chat = new Chat(null, "pt-BR", {}, this.chance);
  }

  later(ms: number, happen: () => void): void {
    this.#order += 1;
    this.#events.push({ at: this.now + ms, order: this.#order, happen });
  }

  run(until: number): void {
    for (let steps = 0; ; steps += 1) {
      if (steps > STEPS_MAX) throw new Error("the world does not settle");
      this.#perform();
      const due = this.chat.pollTimeout() ?? Number.POSITIVE_INFINITY;
      this.#events.sort((one, other) => one.at - other.at || one.order - other.order);
      const next = this.#events[0];
      const at = Math.max(this.now, Math.min(due, next?.at ?? Number.POSITIVE_INFINITY));
      if (at > until) break;
      this.now = at;
      if (next && next.at <= due) {
        this.#events.shift();
        next.happen();
      } else {
        this.chat.handleTimeout(this.now);
      }
    }
    this.now = until;
  }

  #perform(): void {
    for (let out = this.chat.pollOutput(); out; out = this.chat.pollOutput()) {
      if (out.do === "connect") this.#connect();
      if (out.do === "disconnect") this.#break(false);
      if (out.do === "transmit") this.#toServer(out.frame);
    }
  }

  #connect(): void {
    this.#wire += 1;
    const wire = this.#wire;
    const peer = this.server.join((frame) => {
      const text = JSON.stringify(frame);
      this.#carry(wire, () => {
        const read = readFrame(text);
        if (read) this.chat.handleFrame(this.now, read);
      });
    });
    this.#peer = peer;
    this.later(this.chance() * 50, () => {
      if (wire === this.#wire) this.chat.handleOpened(this.now);
    });
  }

  #toServer(frame: ClientFrame): void {
    const peer = this.#peer;
    if (!peer) return;
    this.#carry(this.#wire, () => this.server.handle(peer, frame));
    if (this.chance() < this.network.break) this.later(this.chance() * 20, () => this.#break(true));
  }

  #carry(wire: number, arrive: () => void): void {
    if (this.chance() < this.network.loss) return;
    const copies = this.chance() < this.network.double ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.later(this.chance() * this.network.delay_ms, () => {
        if (wire === this.#wire) arrive();
      });
    }
  }

  #break(isTold: boolean): void {
    if (this.#peer) this.server.leave(this.#peer);
    this.#peer = undefined;
    this.#wire += 1;
    if (isTold) this.chat.handleClosed(this.now);
  }
}

const STEPS_MAX = 100_000;

const BAD: Network = { loss: 0.15, double: 0.15, break: 0.08, delay_ms: 400 };
const GOOD: Network = { loss: 0, double: 0, break: 0, delay_ms: 20 };

test("whatever the network does, each message is there once, in order, on both sides", () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const world = new World(seed, BAD);
    const written: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      world.later(world.chance() * 60_000, () => {
        const id = `visitor-${String(written.length).padStart(3, "0")}`;
        written.push(id);
        world.chat.say(world.now, id, { kind: "text", text: id });
      });
      world.later(world.chance() * 60_000, () => {
        world.server.say({ kind: "agent" }, { kind: "text", text: `agent-${count}` });
      });
    }
    world.run(60_000);
    world.network = GOOD;
    world.run(300_000);
    // What was lost last is noticed by what comes after it.
    world.server.say({ kind: "agent" }, { kind: "text", text: "last" });
    world.run(400_000);
    const received = world.server.messages.flatMap((one) => one.client_message_id ?? []);
    expect(received, `seed ${seed}`).toEqual(written);
    const shown = world.chat.messages.map(({ seq }) => seq);
    const there = world.server.visible.map(({ seq }) => seq);
    expect(shown, `seed ${seed}`).toEqual(there.slice(there.length - shown.length));
    expect(shown.length === there.length || world.chat.hasOlder, `seed ${seed}`).toBe(true);
    expect(world.chat.pending, `seed ${seed}`).toEqual([]);
    expect(world.server.seen.delivered, `seed ${seed}`).toBe(there.at(-1));
  }
});

test("at no moment is there a hole in what is shown", () => {
  for (let seed = 1_000; seed < 1_100; seed += 1) {
    const world = new World(seed, BAD);
    world.chat.start(0);
    for (let count = 0; count < 40; count += 1) {
      world.later(count * 700, () => {
        world.server.say({ kind: "agent" }, { kind: "text", text: String(count) });
      });
    }
    for (let now = 0; now < 60_000; now += 100) {
      world.run(now);
      const shown = world.chat.messages.map(({ seq }) => seq);
      const first = shown[0] ?? 0;
      const last = shown.at(-1) ?? 0;
      const there = world.server.visible.map(({ seq }) => seq);
      const between = there.filter((seq) => seq >= first && seq <= last);
      expect(shown, `seed ${seed} at ${now}`).toEqual(between);
    }
  }
});
