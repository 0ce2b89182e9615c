import { describe, expect, it } from "vitest";
import type { Agent, LiveMessage, Schemas } from "../src/api/client";
import { hear, type LiveState, NOTHING, outdated } from "../src/live/state";

const agent = (id: string, presence: Agent["presence"] = "available"): Agent => ({
  id,
  name: id,
  services: [],
  devices: [],
  presence,
  forced: false,
  in_hand: [],
  load: 0,
});

const today = { answered: 0, in_target: 0, late: 0, abandoned: 0, closed: 0, moved: 0 };

const queue = (service: string, waiting: number): Schemas["Queue"] => ({
  service,
  waiting,
  available: 1,
  paused: 0,
  today,
});

const line = (work: string, service: string): Schemas["InLine"] => ({
  work,
  service,
  interaction: `i-${work}`,
  medium: "chat",
  arrived_ms: 1,
  waited_ms: 1,
  priority: 0,
  offered_to: [],
});

const offer = (number: number, to: string): Schemas["Offer"] => ({
  offer: number,
  work: `w${number}`,
  interaction: `i${number}`,
  service: "s",
  agent: to,
  until_ms: 9,
});

const call = (interaction: string, state: string): Schemas["Call"] => ({
  interaction,
  protocol: "1",
  state,
  customer: "",
  parties: [],
  asks: false,
  recording: "off",
});

const snapshot = (seq: number, more: Partial<Extract<LiveMessage, { kind: "snapshot" }>> = {}) =>
  ({
    kind: "snapshot",
    seq,
    agents: [],
    queues: [],
    waiting: [],
    offers: [],
    calls: [],
    ...more,
  }) satisfies LiveMessage;

/** What is so once all of these were heard, at the time 1000. */
const heard = (...told: LiveMessage[]): LiveState =>
  told.reduce((state, one) => hear(state, one, 1_000), NOTHING);

describe("what is told", () => {
  it("begins with everything as it is, and leaves nothing of what was before", () => {
    const state = heard(
      snapshot(3, { agents: [agent("old")], offers: [offer(1, "old")] }),
      snapshot(9, {
        agents: [agent("ana")],
        queues: [queue("s", 2)],
        waiting: [line("w", "s")],
        offers: [offer(7, "ana")],
        calls: [call("c", "talking")],
      }),
    );
    expect(state.seq).toBe(9);
    expect(Object.keys(state.agents)).toEqual(["ana"]);
    expect(state.queues.s?.waiting).toBe(2);
    expect(state.waiting.w?.service).toBe("s");
    expect(Object.keys(state.offers)).toEqual(["7"]);
    expect(state.calls.c?.state).toBe("talking");
  });

  it("may begin at a lower count: the program was started anew", () => {
    expect(heard(snapshot(900), snapshot(2)).seq).toBe(2);
  });

  it("says of each thing how it is now, whole", () => {
    const state = heard(
      snapshot(1, { agents: [agent("ana"), agent("bruno")] }),
      { kind: "agent", seq: 2, agent: agent("ana", "paused") },
      { kind: "queue", seq: 3, queue: queue("s", 4) },
      { kind: "waiting", seq: 4, waiting: line("w", "s") },
      { kind: "call", seq: 5, call: call("c", "ringing") },
      { kind: "call", seq: 6, call: call("c", "talking") },
      { kind: "offer", seq: 7, offer: offer(7, "ana") },
    );
    expect(state.agents.ana?.presence).toBe("paused");
    expect(state.agents.bruno?.presence).toBe("available");
    expect(state.queues.s?.waiting).toBe(4);
    expect(state.waiting.w?.interaction).toBe("i-w");
    expect(state.calls.c?.state).toBe("talking");
    expect(state.offers[7]?.agent).toBe("ana");
    expect(state.seq).toBe(7);
  });

  it("changes nothing when it is told twice", () => {
    const before = heard(snapshot(1), { kind: "offer", seq: 5, offer: offer(7, "ana") });
    const again: LiveMessage = {
      kind: "offer_ended",
      seq: 5,
      offer: 7,
      work: "w7",
      agent: "ana",
      end: "lapsed",
    };
    expect(hear(before, again, 1_000)).toBe(before);
    expect(hear(before, { ...again, seq: 4 }, 1_000)).toBe(before);
  });

  it("takes away what is over, and that alone", () => {
    const state = heard(
      snapshot(1, {
        offers: [offer(7, "ana"), offer(8, "ana")],
        calls: [call("c", "talking"), call("d", "talking")],
        waiting: [line("w", "s"), line("v", "s")],
      }),
      { kind: "offer_ended", seq: 2, offer: 7, work: "w7", agent: "ana", end: "refused" },
      { kind: "call_ended", seq: 3, interaction: "c" },
      { kind: "left", seq: 4, work: "w", service: "s", end: "answered", waited_ms: 5 },
    );
    expect(Object.keys(state.offers)).toEqual(["8"]);
    expect(Object.keys(state.calls)).toEqual(["d"]);
    expect(Object.keys(state.waiting)).toEqual(["v"]);
  });

  it("keeps who moved to another line, whichever was told first", () => {
    const moved: LiveMessage = {
      kind: "left",
      seq: 3,
      work: "w",
      service: "s",
      end: "moved",
      to: "t",
      waited_ms: 5,
    };
    const first = heard(snapshot(1, { waiting: [line("w", "s")] }), {
      kind: "waiting",
      seq: 2,
      waiting: line("w", "t"),
    });
    expect(hear(first, moved, 0).waiting.w?.service).toBe("t");
    const other = heard(
      snapshot(1, { waiting: [line("w", "s")] }),
      { ...moved, seq: 2 },
      { kind: "waiting", seq: 3, waiting: line("w", "t") },
    );
    expect(other.waiting.w?.service).toBe("t");
  });

  it("believes that a customer types for six seconds, or until they stop or have written", () => {
    const types: LiveMessage = { kind: "typing", seq: 2, interaction: "i", on: true };
    expect(heard(snapshot(1), types).typing.i).toBe(7_000);
    expect(heard(snapshot(1), types, { ...types, seq: 3, on: false }).typing).toEqual({});
    const wrote: LiveMessage = { kind: "message", seq: 3, interaction: "i", message_seq: 1 };
    expect(heard(snapshot(1), types, wrote).typing).toEqual({});
  });

  it("knows which colleagues are there beside one, each as they were told of last", () => {
    const beside = (seq: number, by: string, doing: string): LiveMessage => ({
      kind: "beside",
      seq,
      interaction: "i",
      by,
      name: by,
      doing,
    });
    const two = [beside(2, "bia", "reading"), beside(3, "caio", "reading")];
    const typing = heard(snapshot(1), ...two, beside(4, "bia", "typing")).beside.i;
    expect(typing?.map(({ name, isTyping }) => [name, isTyping])).toEqual([
      ["caio", false],
      ["bia", true],
    ]);
    expect(heard(snapshot(1), ...two, beside(4, "caio", "gone")).beside.i).toHaveLength(1);
  });

  it("counts on where nothing happened or what happened is not shown", () => {
    const desk: LiveMessage = { kind: "desk", seq: 5, what: "returned", detail: {} as never };
    expect(heard(snapshot(1), { kind: "alive", seq: 4 }, desk).seq).toBe(5);
  });
});

describe("what was asked before is old", () => {
  it("all of it, when everything is told anew", () => {
    expect(outdated(snapshot(1), "ana").map(([key]) => key)).toEqual([
      "work",
      "messages",
      "composer",
      "history",
    ]);
  });

  it("the messages and what may be written, when there is a message", () => {
    const told: LiveMessage = { kind: "message", seq: 1, interaction: "i", message_seq: 4 };
    expect(outdated(told, "ana")).toEqual([
      ["messages", "i"],
      ["composer", "i"],
    ]);
  });

  it("one's own work, by what happens to oneself and not to others", () => {
    const of = (who: string): LiveMessage[] => [
      { kind: "agent", seq: 1, agent: agent(who) },
      { kind: "offer", seq: 1, offer: offer(1, who) },
      { kind: "offer_ended", seq: 1, offer: 1, work: "w", agent: who, end: "lapsed" },
      { kind: "desk", seq: 1, what: "finished", agent: who, detail: {} as never },
      { kind: "left", seq: 1, work: "w", service: "s", end: "answered", agent: who, waited_ms: 1 },
    ];
    for (const told of of("ana")) expect(outdated(told, "ana"), told.kind).toEqual([["work"]]);
    for (const told of of("bruno")) expect(outdated(told, "ana"), told.kind).toEqual([]);
  });

  it("nothing, by what the state itself holds", () => {
    const all: LiveMessage[] = [
      { kind: "alive", seq: 1 },
      { kind: "queue", seq: 1, queue: queue("s", 1) },
      { kind: "waiting", seq: 1, waiting: line("w", "s") },
      { kind: "call", seq: 1, call: call("c", "talking") },
      { kind: "call_ended", seq: 1, interaction: "c" },
      { kind: "typing", seq: 1, interaction: "i", on: true },
    ];
    for (const told of all) expect(outdated(told, "ana"), told.kind).toEqual([]);
  });
});
