import { describe, expect, it } from "vitest";
import { type Filters, read, readTab } from "../src/pages/trace/address";
import { reasons } from "../src/pages/trace/decision";
import { midnight, query, range } from "../src/pages/trace/filters";
import { ladder } from "../src/pages/trace/ladder";
import { outcome, span, tone } from "../src/pages/trace/rows";
import { keep, parse } from "../src/pages/trace/saved";
import { sentence } from "../src/pages/trace/sentences";
import { grade, lostPart, moments } from "../src/pages/trace/sound";
import { disposition, lines, phases, steps } from "../src/pages/trace/trail";

const NOON = new Date(2026, 10, 23, 12).getTime();

const day = (date: number, month = 10) => new Date(2026, month, date).getTime();

describe("the filters of an address", () => {
  it("are what is known of them, whoever wrote it", () => {
    const search = { q: 20261123, state: "ended", service: "", hour_from: 7, period: "century" };
    expect(read(search)).toMatchObject({ q: "20261123", state: "ended", hour_from: "7" });
    expect(read(search)).not.toHaveProperty("service");
    expect(read(search)).not.toHaveProperty("period");
  });

  it("ask for a protocol where it looks like one, and for words elsewhere", () => {
    expect(query({ q: "#20261123000007" }, NOON)).toMatchObject({ protocol: "20261123000007" });
    expect(query({ q: "11 9876" }, NOON)).toMatchObject({ text: "11 9876" });
  });

  it("ask for what is narrowed, hours as well", () => {
    const filters = { medium: "chat", hour_from: "8", tag: "vip" };
    expect(query(filters, NOON)).toMatchObject(filters);
  });

  it("mean today unless they say otherwise", () => {
    expect(query({}, NOON)).toEqual({ from: String(day(23)) });
  });

  it.each<[Filters, { from?: number; until?: number }]>([
    [{ period: "today" }, { from: day(23) }],
    [{ period: "yesterday" }, { from: day(22), until: day(23) }],
    [{ period: "week" }, { from: day(17) }],
    [{ period: "month" }, { from: day(25, 9) }],
    [
      { period: "free", from: "2026-11-01", until: "2026-11-02" },
      { from: day(1), until: day(3) },
    ],
    [{ period: "free" }, {}],
  ])("%o are the days that people mean", (filters, expected) => {
    expect(range(filters, NOON)).toEqual(expected);
  });

  it("name a part of an interaction that there is", () => {
    expect(readTab({ tab: "sip" })).toEqual({ tab: "sip" });
    expect(readTab({ tab: "none" })).toEqual({});
    expect(midnight(NOON, -23)).toBe(day(31, 9));
  });
});

describe("filters under a name", () => {
  it("are replaced under the same name, and stand by their names", () => {
    const all = keep([{ name: "B", filters: {} }], { name: "A", filters: { q: "x" } });
    expect(keep(all, { name: "B", filters: { q: "y" } })).toEqual([
      { name: "A", filters: { q: "x" } },
      { name: "B", filters: { q: "y" } },
    ]);
  });

  it("are what is known of them, whoever wrote it", () => {
    const kept = { name: "Abandonos", filters: { outcome: "abandoned" } };
    expect(parse([kept, { name: 1 }, { name: "A", filters: null }])).toEqual([kept]);
    expect(parse("none")).toEqual([]);
  });
});

describe("a row", () => {
  const ended = { state: "ended", direction: "inbound", answered_ms: 1, queued_ms: 2 } as const;

  it("says what became of it", () => {
    expect(outcome({ ...ended, agent: "ana" })).toBe("answered");
    expect(outcome({ ...ended, ended_by: "customer" })).toBe("abandoned");
    expect(outcome({ ...ended, ended_by: "ramal" })).toBe("unanswered");
    expect(outcome({ ...ended, queued_ms: null })).toBe("self");
    expect(outcome({ ...ended, queued_ms: null, answered_ms: null })).toBe("failed");
    expect(outcome({ ...ended, state: "waiting" })).toBe("waiting");
    expect(tone("abandoned")).toBe("bad");
  });

  it("says how long it took, with hours where there are some", () => {
    expect(span(7_400)).toBe("0:07");
    expect(span(754_000)).toBe("12:34");
    expect(span(3_725_000)).toBe("1:02:05");
    expect(span(-3)).toBe("0:00");
  });
});

const trail = (all: readonly [number, string, object?][]) =>
  lines(all.map(([at_ms, kind, detail], seq) => ({ seq, at_ms, kind, detail: detail ?? {} })));

const CALL = trail([
  [0, "arrived"],
  [10, "answered"],
  [10, "hours_checked", { node: "hours", open: true }],
  [10, "node_entered", { node: "welcome" }],
  [3_000, "prompt_ended", { node: "welcome", interrupted: false }],
  [3_000, "node_entered", { node: "menu" }],
  [5_000, "option_chosen", { node: "menu", key: "1" }],
  [5_000, "queued", { service: "s1" }],
  [5_000, "offered", { agent: "a1", name: "Ana" }],
  [9_000, "agent_answered", { agent: "a1", name: "Ana" }],
  [20_000, "held", { by: "a1" }],
  [25_000, "resumed", { by: "a1" }],
  [60_000, "ended", { by: "customer" }],
  [60_000, "wrap_up_began", { agent: "a1", name: "Ana" }],
  [70_000, "finished", { agent: "a1", disposition: "d", disposition_name: "Venda", note: "ok" }],
]);

describe("a trail", () => {
  it("is read in the order in which it happened", () => {
    const told = lines([
      { seq: 1_000_000_000, at_ms: 5, kind: "recorded", detail: null },
      { seq: 2, at_ms: 3, kind: "ended", detail: null },
    ]);
    expect(told.map(({ kind }) => kind)).toEqual(["ended", "recorded"]);
  });

  it("has its phases, one after the other", () => {
    expect(phases(CALL, 70_000, 99_000).map((one) => [one.kind, one.name, one.until])).toEqual([
      ["flow", "", 5_000],
      ["waiting", "s1", 9_000],
      ["talking", "Ana", 20_000],
      ["held", "", 25_000],
      ["talking", "Ana", 60_000],
      ["wrapping", "Ana", 70_000],
    ]);
  });

  it("goes on until now while it is open", () => {
    const open = phases(CALL.slice(0, 9), null, 8_000);
    expect(open.at(-1)).toEqual({ kind: "waiting", name: "s1", from: 5_000, until: 8_000 });
  });

  it("leaves out that a node was entered where the next line says what it did", () => {
    const shown = steps(CALL).map(({ kind }) => kind);
    expect(shown.filter((kind) => kind === "node_entered")).toEqual([]);
    expect(shown).toContain("prompt_ended");
  });

  it("says in one line that much was written", () => {
    const told = steps(
      trail([
        [1, "message_received"],
        [2, "message_received"],
        [3, "message_sent"],
        [4, "ended", { by: "agent" }],
      ]),
    );
    expect(told.map(({ kind, count }) => [kind, count])).toEqual([
      ["messages", 3],
      ["ended", 1],
    ]);
  });

  it("knows how it was closed", () => {
    expect(disposition(CALL)).toEqual({ name: "Venda", note: "ok" });
    expect(disposition(CALL.slice(0, 5))).toBeNull();
  });
});

describe("a sentence", () => {
  const names = {
    service: (id: string) => ({ s1: "Vendas" })[id] ?? "",
    person: (id: string) => ({ a1: "Ana", b1: "Bruno" })[id] ?? "",
  };
  const said = (kind: string, detail: Record<string, unknown>) =>
    sentence({ key: "0", at: 0, kind, detail, count: 2 }, names);

  it("names who and what is meant", () => {
    expect(said("queued", { service: "s1" })).toMatchObject({
      said: "queued",
      blanks: { name: "Vendas" },
    });
    expect(said("transferred", { from: "a1", to: "b1" })).toMatchObject({
      said: "transferred",
      blanks: { name: "Ana", to: "Bruno" },
    });
    expect(said("offer_ended", { agent: "a1", end: "lapsed" })).toMatchObject({
      said: "offer_lapsed",
      blanks: { name: "Ana" },
    });
  });

  it("tells a conversation from a call, and what was closed from what ended", () => {
    expect(said("arrived", { channel: "c", channel_name: "ERP" }).said).toBe("opened");
    expect(said("arrived", { transport: "UDP", user_agent: "x" }).more).toBe("UDP · x");
    expect(said("finished", { name: "Ana" }).said).toBe("finished");
    expect(said("finished", { name: "Ana", disposition: "d" }).said).toBe("disposed");
    expect(said("ended", { by: "customer", cause: "hung_up" })).toMatchObject({
      said: "ended_customer",
      more: "hung_up",
    });
  });

  it("is said of what nobody knows yet, too", () => {
    expect(said("something_new", {})).toMatchObject({
      said: "other",
      blanks: { kind: "something new" },
    });
  });
});

describe("a ladder", () => {
  const message = (at_ms: number, direction: string, line: string) => ({
    at_ms,
    direction,
    line,
    cseq: "1 INVITE",
    peer: "10.0.0.1:5060",
    transport: "UDP",
  });

  it("stands with Ramal between the first leg and the others", () => {
    const legs = [
      {
        leg: 1,
        call_id: "a",
        left_out: 0,
        messages: [
          message(1, "received", "INVITE sip:4000@x SIP/2.0"),
          message(9, "sent", "SIP/2.0 200 OK"),
        ],
      },
      {
        leg: 2,
        call_id: "b",
        left_out: 0,
        messages: [message(4, "sent", "INVITE sip:a@y SIP/2.0")],
      },
    ];
    const { sides, arrows } = ladder(legs);
    expect(sides.map(({ leg }) => leg)).toEqual([1, null, 2]);
    expect(arrows.map(({ from, to, label, status }) => [from, to, label, status])).toEqual([
      [0, 1, "INVITE", 0],
      [1, 2, "INVITE", 0],
      [1, 0, "200 OK", 200],
    ]);
  });
});

describe("how it sounded", () => {
  it("from moment to moment, where that was measured", () => {
    const course = [
      { loss: 0, jitter_ms: 2, mos: 4.4 },
      { loss: 0.25, jitter_ms: 41.5, round_trip_ms: 80, mos: null },
    ];
    expect(moments({ course, course_every_ms: 5000 })).toEqual([
      { fromMs: 0, untilMs: 5000, mos: 4.4, loss: 0, jitterMs: 2, roundTripMs: null },
      { fromMs: 5000, untilMs: 10_000, mos: null, loss: 0.25, jitterMs: 41.5, roundTripMs: 80 },
    ]);
    expect(moments({ mos: 4 })).toEqual([]);
    expect(moments(null)).toEqual([]);
  });

  it("is graded as people hear it", () => {
    expect([grade(4.2), grade(3.7), grade(2)]).toEqual(["good", "fair", "poor"]);
  });

  it("lost a part of all that was sent, where that is known", () => {
    expect(lostPart(1, 99)).toBe(0.01);
    expect(lostPart(0, 0)).toBeNull();
    expect(lostPart(null, 99)).toBeNull();
  });
});

describe("a decision", () => {
  it("is a rule, and each agent with why or why not", () => {
    expect(
      reasons("Vendas, esperou 0 s · Ana: atende, ociosa há 13 s · Rui: pausa: Almoço"),
    ).toEqual({
      rule: "Vendas, esperou 0 s",
      agents: [
        { name: "Ana", why: "atende, ociosa há 13 s" },
        { name: "Rui", why: "pausa: Almoço" },
      ],
    });
  });
});
