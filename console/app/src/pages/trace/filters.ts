// Which interactions are looked for, as the program is asked. No browser in here.

import type { paths } from "../../api/schema";
import { type Filters, KEYS, NARROWED } from "./address";

/** What the program is asked. */
export type Query = NonNullable<paths["/api/v1/interactions"]["get"]["parameters"]["query"]>;

/** How waiting ended, as the program counts it. */
export const OUTCOMES = ["answered", "abandoned", "left_soon", "closed", "moved"] as const;

export const STATES = ["ringing", "flow", "waiting", "talking", "ended"] as const;

/** Whether anything but the time is asked for. */
export function narrows(filters: Filters): boolean {
  return KEYS.some((key) => key !== "from" && key !== "until" && filters[key] !== undefined);
}

/** A protocol begins with its day. */
const PROTOCOL = /^20\d{4,}$/;

/** What the program is asked for, at this moment. */
export function query(filters: Filters, nowMs: number): Query {
  const { from, until } = range(filters, nowMs);
  const { q } = filters;
  const narrowed = NARROWED.filter((key) => filters[key] !== undefined);
  const words = q?.trim().replaceAll(/^#/g, "");
  return {
    ...(from === undefined ? {} : { from: String(from) }),
    ...(until === undefined ? {} : { until: String(until) }),
    ...(words === undefined ? {} : PROTOCOL.test(words) ? { protocol: words } : { text: words }),
    // Numbers stand in an address as texts do, in this one as in that of the program.
    ...(Object.fromEntries(narrowed.map((key) => [key, filters[key]])) as Query),
  };
}

type Range = { readonly from?: number; readonly until?: number };

/** From when until before when, milliseconds since 1970, by the days of who asks. */
export function range(filters: Filters, nowMs: number): Range {
  switch (filters.period ?? "today") {
    case "today":
      return { from: midnight(nowMs, 0) };
    case "yesterday":
      return { from: midnight(nowMs, -1), until: midnight(nowMs, 0) };
    case "week":
      return { from: midnight(nowMs, -6) };
    case "month":
      return { from: midnight(nowMs, -29) };
    case "free": {
      const from = dayOf(filters.from);
      const last = dayOf(filters.until);
      return {
        ...(from === undefined ? {} : { from }),
        ...(last === undefined ? {} : { until: midnight(last, 1) }),
      };
    }
  }
}

/** The beginning of the day that is `days` from the one of this moment. */
export function midnight(ms: number, days: number): number {
  const at = new Date(ms);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
}

function dayOf(text: string | undefined): number | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? "");
  if (parts === null) return undefined;
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])).getTime();
}

/** A moment as a day of an address. */
export function dayText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
