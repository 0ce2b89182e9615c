// What the addresses of the list and of an interaction keep. No browser in here: it is loaded with the first page.

export const PERIODS = ["today", "yesterday", "week", "month", "free"] as const;

/** What customers use, as the program tells them apart. */
export const MEDIA = ["phone", "chat", "email", "task"] as const;

export type Period = (typeof PERIODS)[number];

/** What the address keeps; what is not there does not matter. Days are `2026-11-23`. */
export type Filters = {
  readonly q?: string;
  readonly period?: Period;
  readonly from?: string;
  readonly until?: string;
  readonly service?: string;
  readonly number?: string;
  readonly state?: string;
  readonly medium?: string;
  readonly channel?: string;
  readonly agent?: string;
  readonly outcome?: string;
  readonly disposition?: string;
  readonly tag?: string;
  /** Hours of the day: `8` and `18` are from eight to before six. */
  readonly hour_from?: string;
  readonly hour_until?: string;
};

/** By what is narrowed besides the words and the time, in the order in which people look for it. */
export const NARROWED = [
  "service",
  "agent",
  "state",
  "medium",
  "outcome",
  "disposition",
  "tag",
  "channel",
  "number",
  "hour_from",
  "hour_until",
] as const;

export type Narrowed = (typeof NARROWED)[number];

export const KEYS = ["q", "from", "until", ...NARROWED] as const;

/** The filters of an address, whoever wrote it. */
export function read(search: Readonly<Record<string, unknown>>): Filters {
  const found: Record<string, string> = {};
  for (const key of KEYS) {
    const value = search[key];
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && text.trim() !== "") found[key] = text;
  }
  const period = PERIODS.find((known) => known === search.period);
  return { ...found, ...(period === undefined ? {} : { period }) };
}

export const TABS = ["path", "talk", "why", "sip"] as const;

export type Tab = (typeof TABS)[number];

/** The part of an interaction that an address names. */
export function readTab({ tab }: Readonly<Record<string, unknown>>): { readonly tab?: Tab } {
  const found = TABS.find((known) => known === tab);
  return found === undefined ? {} : { tab: found };
}
