import { describe, expect, it } from "vitest";
import type { Agent, Schemas } from "../src/api/client";
import { read } from "../src/pages/wall/address";
import {
  board,
  callOf,
  count,
  isFree,
  judge,
  level,
  partOf,
  stateOf,
  total,
} from "../src/pages/wall/board";
import { drawn, together } from "../src/pages/wall/trend";

const agent = (name: string, presence: Agent["presence"], ...doing: string[]): Agent => ({
  id: name.toLowerCase(),
  name,
  presence,
  services: name === "Rui" ? ["s2"] : ["s1"],
  devices: [],
  forced: false,
  load: 0,
  in_hand: doing.map((does, index) => ({
    work: `${index}`,
    interaction: `i-${index}`,
    service: "s1",
    arrived_ms: 1,
    medium: "chat",
    doing: does,
  })),
});

const today = { answered: 0, in_target: 0, late: 0, abandoned: 0, closed: 0, moved: 0 };

describe("an agent", () => {
  it("is what they do, and else what they chose", () => {
    expect(stateOf(agent("Ana", "available", "offered", "handling"))).toBe("handling");
    expect(stateOf(agent("Ana", "paused", "handling"))).toBe("handling");
    expect(stateOf(agent("Ana", "available", "wrapping up"))).toBe("wrapping");
    expect(stateOf(agent("Ana", "available", "offered"))).toBe("offered");
    expect(stateOf(agent("Ana", "paused"))).toBe("paused");
  });

  it("stands by what they do, then by name, where their service is looked at", () => {
    const all = [
      agent("Zoe", "available"),
      agent("Bia", "offline"),
      agent("Ana", "available"),
      agent("Rui", "available", "handling"),
    ];
    expect(board(all, undefined).map(({ name }) => name)).toEqual(["Rui", "Ana", "Zoe", "Bia"]);
    expect(board(all, "s1").map(({ name }) => name)).toEqual(["Ana", "Zoe", "Bia"]);
    expect(count(all)).toMatchObject({ handling: 1, available: 2, offline: 1, paused: 0 });
  });
});

describe("a service level", () => {
  it("is the part that was answered in time, and nothing before the first", () => {
    expect(level({ in_target: 3, late: 1 })).toBe(0.75);
    expect(level({ in_target: 0, late: 0 })).toBeNull();
  });

  it("is judged as it is shown", () => {
    expect(judge(0.796)).toBe("good");
    expect(judge(0.79)).toBe("warn");
    expect(judge(0.59)).toBe("bad");
    expect(judge(null)).toBe("none");
  });
});

describe("who could take something now", () => {
  it("is there, connected, and has room beside what is in hand", () => {
    const ana = agent("Ana", "available", "handling");
    expect(isFree({ ...ana, load: 25 })).toBe(true);
    expect(isFree({ ...ana, load: 100 })).toBe(false);
    expect(isFree({ ...ana, lost_until_ms: 5 })).toBe(false);
    expect(isFree(agent("Bia", "paused"))).toBe(false);
  });
});

describe("all queues together", () => {
  const queue = (waiting: number, oldest_ms: number | null, answered: number) => ({
    service: `${waiting}`,
    waiting,
    oldest_ms,
    available: 2,
    paused: 1,
    today: { ...today, answered },
  });

  it("have the longest wait of any, and count each agent once", () => {
    const made = total(
      [queue(2, 500, 3), queue(1, 200, 4), queue(0, null, 0)],
      [agent("Ana", "available"), agent("Bia", "paused"), agent("Rui", "offline")],
    );
    expect(made).toEqual({
      waiting: 3,
      oldest_ms: 200,
      available: 1,
      paused: 1,
      today: { ...today, answered: 7 },
    });
    expect(total([queue(0, null, 0)], []).oldest_ms).toBeNull();
  });
});

describe("a call", () => {
  const call = (state: string, parties: Schemas["Party"][] = []): Schemas["Call"] => ({
    interaction: state,
    state,
    agent: "ana",
    asks: false,
    recording: "off",
    customer: "",
    protocol: "",
    parties,
  });

  it("is in hand once the agent talks in it", () => {
    const all = [call("ringing"), call("talking")];
    expect(callOf(all, "ana")?.interaction).toBe("talking");
    expect(callOf(all, "rui")).toBeUndefined();
  });

  it("knows how a supervisor takes part in it", () => {
    const party = (user: string, role: string) => ({ user, role, muted: false, place: "together" });
    const heard = call("talking", [party("ana", "agent"), party("eva", "whisper")]);
    expect(partOf(heard, "eva")).toBe("whisper");
    expect(partOf(heard, "ana")).toBeUndefined();
  });
});

describe("what is open beside the wall", () => {
  it("is one thing that the address names", () => {
    expect(read({ agent: "a", queue: "q" })).toEqual({ agent: "a" });
    expect(read({ queue: "q" })).toEqual({ queue: "q" });
    expect(read({ agent: 3 })).toEqual({});
  });
});

describe("the day of a queue", () => {
  const day = (...all: [number, number][]) =>
    all.map(([arrived, answered]) => ({ arrived, answered }));

  it("is drawn from its first customer on", () => {
    expect(drawn(day([0, 0], [0, 0], [4, 2], [0, 0]))).toEqual({
      arrived: "0,23 60,1 120,23",
      answered: "0,23 60,12 120,23",
    });
  });

  it("is nothing to draw before anybody came", () => {
    expect(drawn(day([0, 0], [0, 0]))).toBeNull();
    expect(drawn([])).toBeNull();
  });

  it("is the sum of all queues, however long each is told", () => {
    expect(together([day([1, 1], [2, 1]), day([3, 0])])).toEqual(day([4, 1], [2, 1]));
    expect(together([])).toEqual([]);
  });
});
