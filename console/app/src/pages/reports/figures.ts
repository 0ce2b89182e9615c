// From counts to what people compare: shares, averages, changes. No browser in here.

import type { Schemas } from "../../api/client";
import { dayText, midnight, range } from "../trace/filters";
import type { Kind, Wanted } from "./address";

export type Counted = Schemas["Counted"];
export type Row = Schemas["ReportRow"];
export type Report = Schemas["Report"];

/** A part of a whole; nothing where there is none. */
export function part(of: number, whole: number): number | null {
  return whole <= 0 ? null : of / whole;
}

/** What is shown of a row, each nothing where it cannot be said. */
export const MEASURES = {
  arrived: { unit: "count", is: (row: Row) => row.arrived },
  answered: { unit: "count", is: (row: Row) => row.answered },
  abandoned: { unit: "count", is: (row: Row) => row.abandoned },
  abandonment: {
    unit: "part",
    is: (row: Row) => part(row.abandoned, row.arrived - row.left_soon),
  },
  level: { unit: "part", is: (row: Row) => part(row.in_target, row.in_target + row.late) },
  wait: { unit: "time", is: (row: Row) => part(row.waited_ms, row.answered) },
  longest: { unit: "time", is: (row: Row) => row.waited_max_ms || null },
  handled: { unit: "count", is: (row: Row) => row.handled },
  handling: { unit: "time", is: (row: Row) => part(row.handled_ms, row.handled) },
  available: { unit: "time", is: (row: Row) => row.time?.available_ms ?? null },
  paused: { unit: "time", is: (row: Row) => row.time?.paused_ms ?? null },
  occupancy: { unit: "part", is: (row: Row) => row.time?.occupancy ?? null },
} as const satisfies Record<
  string,
  { unit: "count" | "part" | "time"; is: (row: Row) => number | null }
>;

export type Measure = keyof typeof MEASURES;

/** The columns of each report, the first of them drawn above it. */
export const COLUMNS: Readonly<Record<Exclude<Kind, "surveys">, readonly Measure[]>> = {
  services: [
    "arrived",
    "answered",
    "abandoned",
    "abandonment",
    "level",
    "wait",
    "longest",
    "handling",
  ],
  agents: ["answered", "handled", "handling", "level", "available", "paused", "occupancy"],
  channels: ["arrived", "answered", "abandoned", "abandonment", "level", "wait", "handling"],
  hours: ["arrived", "answered", "abandoned", "abandonment", "level", "wait", "handling"],
  days: ["arrived", "answered", "abandoned", "abandonment", "level", "wait", "handling"],
};

/** What stands in large above all. */
export function headlines(by: Kind): readonly Measure[] {
  return by === "agents"
    ? ["answered", "handled", "handling", "occupancy", "level", "wait"]
    : ["arrived", "answered", "abandonment", "level", "wait", "handling"];
}

/** All agents together: their time too. */
export function whole({ items, total }: Pick<Report, "items" | "total">): Row {
  const times = items.flatMap(({ time }) => time ?? []);
  if (times.length === 0) return total;
  const sum = (of: "available_ms" | "paused_ms" | "busy_ms") =>
    times.reduce((made, time) => made + time[of], 0);
  const [available_ms, paused_ms, busy_ms] = [
    sum("available_ms"),
    sum("paused_ms"),
    sum("busy_ms"),
  ];
  const busy = part(busy_ms, available_ms);
  const occupancy = busy === null ? null : Math.min(busy, 1);
  const first = times[0] as NonNullable<Row["time"]>;
  return { ...total, time: { ...first, available_ms, paused_ms, busy_ms, occupancy } };
}

/** Whether more of it is good news; nothing where it is neither. */
export function isBetter(measure: Measure, change: number): boolean | null {
  if (measure === "answered" || measure === "level") return change > 0;
  const isCost = ["abandoned", "abandonment", "wait", "longest", "handling"].includes(measure);
  return isCost ? change < 0 : null;
}

/** How much it changed: by which part, or of parts by how much; nothing where that cannot be said. */
export function change(measure: Measure, now: number | null, before: number | null): number | null {
  if (now === null || before === null) return null;
  if (MEASURES[measure].unit === "part") return now - before;
  return before === 0 ? null : (now - before) / before;
}

export type Order = { readonly by: Measure | "name"; readonly isUp: boolean };

/** The rows in an order; what cannot be said stands last. */
export function sorted(rows: readonly Row[], order: Order | null): readonly Row[] {
  if (order === null) return rows;
  const { by, isUp } = order;
  const way = isUp ? 1 : -1;
  return [...rows].sort((a, b) => {
    if (by === "name") return way * (a.name ?? a.key).localeCompare(b.name ?? b.key);
    const [one, other] = [MEASURES[by].is(a), MEASURES[by].is(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return way * (one - other);
  });
}

/** A time as the program is asked for it: days of the company, or moments where it ends within one. */
export type Window = { readonly from: string; readonly until: string };

export type Windows = {
  readonly now: Window;
  /** The time before, of the same length by the calendar, and as far into it. */
  readonly before: Window;
  /** The first and last moment, as they are shown. */
  readonly shown: readonly [number, number];
};

/** The time that is asked for, and the one before it. */
export function windows(wanted: Wanted, nowMs: number): Windows {
  const asked = range(wanted, nowMs);
  const from = asked.from ?? midnight(nowMs, 0);
  const end = Math.max(asked.until ?? midnight(nowMs, 1), midnight(from, 1));
  const isOpen = end > nowMs;
  const days = Math.round((end - from) / DAY);
  const ended = (ms: number) => dayText(ms - 1);
  return {
    now: { from: dayText(from), until: ended(end) },
    before: {
      from: dayText(midnight(from, -days)),
      until: isOpen ? String(shifted(nowMs, -days)) : ended(midnight(end, -days)),
    },
    shown: [from, end - 1],
  };
}

const DAY = 86_400_000;

/** The same time of another day. */
function shifted(ms: number, days: number): number {
  const at = new Date(ms);
  at.setDate(at.getDate() + days);
  return at.getTime();
}

/** The lines of a scale up to at least `max`, at most five of them, at round figures. */
export function ticks(max: number): readonly number[] {
  const rough = Math.max(max, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? 1,
  );
  const made = [0];
  while ((made.at(-1) ?? 0) < max) made.push((made.at(-1) ?? 0) + step);
  return made;
}
