import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Happening } from "../src/phone/machine";

/** JsSIP as far as the line of a telephone goes: it tells of what it is told. */
class FakeUA extends EventEmitter {
  static last: FakeUA;
  isStopped = false;
  constructor() {
    super();
    FakeUA.last = this;
  }
  start() {}
  stop() {
    this.isStopped = true;
  }
}

vi.mock("jssip", () => ({ UA: FakeUA, WebSocketInterface: class {} }));

const ACCOUNT = {
  device: "d",
  username: "web-a",
  password: "p",
  display_name: "Ana",
  extension: null,
};

/** A request of JsSIP's, which ends in this state. */
class Transaction extends EventEmitter {
  readonly C = { STATUS_COMPLETED: 3 };
  state = 1;
  readonly request: { method: string };
  constructor(method: string) {
    super();
    this.request = { method };
  }
  ends(state: number) {
    this.state = state;
    this.emit("stateChanged");
  }
}

describe("the line of the telephone over JsSIP", () => {
  beforeEach(() => {
    vi.stubGlobal("location", {
      protocol: "https:",
      host: "ramal.example",
      hostname: "ramal.example",
    });
    vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
  });
  afterEach(() => vi.unstubAllGlobals());

  const open = async () => {
    const told: Happening[] = [];
    const { wire } = await import("../src/phone/wire");
    const line = wire(ACCOUNT, (what) => told.push(what));
    return { told, line, ua: FakeUA.last };
  };

  it("hears each answer to a registration, of which JsSIP tells the first alone", async () => {
    const { told, ua } = await open();
    ua.emit("registered");
    const renewed = new Transaction("REGISTER");
    ua.emit("newTransaction", { transaction: renewed });
    renewed.ends(3);
    const lost = new Transaction("REGISTER");
    ua.emit("newTransaction", { transaction: lost });
    lost.ends(6);
    const call = new Transaction("INVITE");
    ua.emit("newTransaction", { transaction: call });
    call.ends(3);
    expect(told).toEqual([{ kind: "registered" }, { kind: "heard" }]);
  });

  it("says nothing any more once it is given up", async () => {
    const { told, line, ua } = await open();
    line.close();
    expect(ua.isStopped).toBe(true);
    ua.emit("disconnected", {});
    ua.emit("registrationFailed", {});
    ua.emit("registered");
    expect(told).toEqual([]);
  });
});
