import { describe, expect, it } from "vitest";
import { read } from "../src/pages/reports/address";
import {
  COLUMNS,
  change,
  headlines,
  isBetter,
  MEASURES,
  part,
  type Row,
  sorted,
  ticks,
  whole,
  windows,
} from "../src/pages/reports/figures";

const row = (key: string, figures: Partial<Row> = {}): Row => ({
  key,
  arrived: 0,
  answered: 0,
  abandoned: 0,
  left_soon: 0,
  closed: 0,
  moved: 0,
  in_target: 0,
  late: 0,
  waited_ms: 0,
  waited_max_ms: 0,
  abandoned_ms: 0,
  handled: 0,
  transferred: 0,
  talked_ms: 0,
  held_ms: 0,
  wrapped_ms: 0,
  handled_ms: 0,
  ...figures,
});

const time = (available_ms: number, busy_ms: number): NonNullable<Row["time"]> => ({
  available_ms,
  busy_ms,
  paused_ms: 10,
  lost_ms: 0,
  calls_placed: 0,
  calls_reached: 0,
  calls_talk_ms: 0,
  pauses: [],
});

describe("a measure", () => {
  const one = row("s", {
    arrived: 11,
    left_soon: 1,
    answered: 8,
    abandoned: 2,
    in_target: 6,
    late: 4,
    waited_ms: 80_000,
    handled: 4,
    handled_ms: 400_000,
  });

  it("leaves out of the abandonment who left so soon that it does not count", () => {
    expect(MEASURES.abandonment.is(one)).toBe(0.2);
  });

  it("is a part, an average or a count", () => {
    expect(MEASURES.level.is(one)).toBe(0.6);
    expect(MEASURES.wait.is(one)).toBe(10_000);
    expect(MEASURES.handling.is(one)).toBe(100_000);
    expect(MEASURES.arrived.is(one)).toBe(11);
  });

  it("is nothing where there is nothing to divide by", () => {
    expect(MEASURES.level.is(row("x"))).toBeNull();
    expect(MEASURES.wait.is(row("x"))).toBeNull();
    expect(MEASURES.occupancy.is(row("x"))).toBeNull();
    expect(part(1, 0)).toBeNull();
  });

  it("stands in each report", () => {
    for (const columns of Object.values(COLUMNS)) {
      expect(columns.every((column) => column in MEASURES)).toBe(true);
    }
    expect(headlines("agents")).toContain("occupancy");
    expect(headlines("days")).not.toContain("occupancy");
  });
});

describe("all agents together", () => {
  it("were as busy as their time taken together", () => {
    const items = [row("a", { time: time(100, 90) }), row("b", { time: time(300, 110) }), row("c")];
    const made = whole({ items, total: row("") });
    expect(made.time).toMatchObject({ available_ms: 400, busy_ms: 200, paused_ms: 20 });
    expect(MEASURES.occupancy.is(made)).toBe(0.5);
  });

  it("have no time where none is told", () => {
    const total = row("", { arrived: 3 });
    expect(whole({ items: [row("a")], total })).toBe(total);
  });
});

describe("a change", () => {
  it("is by a part of what was, and of parts by how much", () => {
    expect(change("arrived", 12, 10)).toBeCloseTo(0.2);
    expect(change("level", 0.75, 0.8)).toBeCloseTo(-0.05);
  });

  it("cannot be said where there was nothing", () => {
    expect(change("arrived", 12, 0)).toBeNull();
    expect(change("level", null, 0.8)).toBeNull();
  });

  it("is good or bad news by what it is a change of", () => {
    expect(isBetter("level", 0.1)).toBe(true);
    expect(isBetter("wait", 0.1)).toBe(false);
    expect(isBetter("abandonment", -0.1)).toBe(true);
    expect(isBetter("arrived", 0.1)).toBeNull();
  });
});

describe("rows", () => {
  const rows = [
    row("a", { name: "Vendas", in_target: 1, late: 1 }),
    row("b", { name: "Cobrança" }),
    row("c", { name: "Suporte", in_target: 3, late: 1 }),
  ];
  const names = (all: readonly Row[]) => all.map(({ name }) => name);

  it("stand as they came until somebody orders them", () => {
    expect(names(sorted(rows, null))).toEqual(["Vendas", "Cobrança", "Suporte"]);
  });

  it("stand by name or by a figure, what cannot be said last", () => {
    expect(names(sorted(rows, { by: "name", isUp: true }))).toEqual([
      "Cobrança",
      "Suporte",
      "Vendas",
    ]);
    expect(names(sorted(rows, { by: "level", isUp: false }))).toEqual([
      "Suporte",
      "Vendas",
      "Cobrança",
    ]);
    expect(names(sorted(rows, { by: "level", isUp: true }))).toEqual([
      "Vendas",
      "Suporte",
      "Cobrança",
    ]);
  });
});

describe("the time of a report", () => {
  const now = new Date(2026, 10, 23, 15, 30).getTime();

  it("is compared with the one before, as far into it", () => {
    expect(windows({}, now)).toMatchObject({
      now: { from: "2026-11-23", until: "2026-11-23" },
      before: { from: "2026-11-22", until: String(new Date(2026, 10, 22, 15, 30).getTime()) },
    });
    expect(windows({ period: "week" }, now)).toMatchObject({
      now: { from: "2026-11-17", until: "2026-11-23" },
      before: { from: "2026-11-10", until: String(new Date(2026, 10, 16, 15, 30).getTime()) },
    });
  });

  it("that is over is compared with a whole one", () => {
    expect(windows({ period: "yesterday" }, now)).toMatchObject({
      now: { from: "2026-11-22", until: "2026-11-22" },
      before: { from: "2026-11-21", until: "2026-11-21" },
    });
    const free = { period: "free", from: "2026-11-01", until: "2026-11-10" } as const;
    expect(windows(free, now)).toMatchObject({
      now: { from: "2026-11-01", until: "2026-11-10" },
      before: { from: "2026-10-22", until: "2026-10-31" },
    });
  });
});

describe("a scale", () => {
  it("has round figures up to beyond the most", () => {
    expect(ticks(0)).toEqual([0]);
    expect(ticks(3)).toEqual([0, 1, 2, 3]);
    expect(ticks(37)).toEqual([0, 10, 20, 30, 40]);
    expect(ticks(360)).toEqual([0, 100, 200, 300, 400]);
  });
});

describe("the address of a report", () => {
  it("keeps what is known of it", () => {
    const search = { by: "agents", medium: "fax" };
    expect(read(search, { period: "week", q: "x", service: "s1" })).toEqual({
      by: "agents",
      period: "week",
      service: "s1",
    });
  });
});
