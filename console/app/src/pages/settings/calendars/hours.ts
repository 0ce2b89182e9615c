// When a company answers: as the program keeps it, and as a calendar shows it. Dates are `2026-12-25`.

import { fields, list, text } from "../../../api/open";
import { brazil } from "./holidays";

export type Interval = { readonly from: string; readonly to: string };

export const WEEKDAYS = [
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
] as const;

export type Weekday = (typeof WEEKDAYS)[number];

export type Week = Readonly<Record<Weekday, readonly Interval[]>>;

/** The hours of a date of the company's own. */
export type DayHours = "closed" | "as-usual" | { readonly open: readonly Interval[] };

export type OwnDate = {
  readonly name: string;
  readonly on: string;
  readonly until?: string;
  readonly every_year: boolean;
  readonly hours: DayHours;
};

export const HOLIDAYS = ["none", "brazil", "brazil-with-optional"] as const;

export type Hours = {
  readonly time_zone: string;
  readonly schedule: "always" | { readonly weekly: Week };
  readonly holidays: (typeof HOLIDAYS)[number];
  readonly dates: readonly OwnDate[];
};

const NINE_TO_SIX: readonly Interval[] = [{ from: "09:00", to: "18:00" }];

export const OFFICE_WEEK: Week = {
  monday: NINE_TO_SIX,
  tuesday: NINE_TO_SIX,
  wednesday: NINE_TO_SIX,
  thursday: NINE_TO_SIX,
  friday: NINE_TO_SIX,
  saturday: [],
  sunday: [],
};

/** What the program keeps, with what it leaves out. */
export function hours(value: unknown): Hours {
  const { time_zone, schedule, holidays, dates } = fields(value);
  const kept = HOLIDAYS.find((one) => one === holidays);
  return {
    time_zone: text(time_zone) || "America/Sao_Paulo",
    schedule: schedule === "always" ? "always" : { weekly: week(fields(schedule).weekly) },
    holidays: kept ?? "none",
    dates: list(dates).map(ownDate),
  };
}

function week(value: unknown): Week {
  const days = fields(value);
  const of = (day: Weekday) => [day, list(days[day]) as readonly Interval[]] as const;
  return Object.fromEntries(WEEKDAYS.map(of)) as Week;
}

function ownDate(value: unknown): OwnDate {
  const { name, on, until, every_year, hours } = fields(value);
  return {
    name: text(name),
    on: text(on),
    ...(text(until) === "" ? {} : { until: text(until) }),
    every_year: every_year === true,
    hours: hours as DayHours,
  };
}

/** What a day is: its hours, and why they are not those of the week. */
export type Day = {
  readonly intervals: readonly Interval[];
  readonly why?: { readonly name: string; readonly is: "own" | "holiday" };
};

const ALL_DAY: readonly Interval[] = [{ from: "00:00", to: "24:00" }];

/** A day of the calendar: dates of its own stand above holidays, those above the week. */
export function day(hours: Hours, date: string): Day {
  const usual =
    hours.schedule === "always"
      ? ALL_DAY
      : hours.schedule.weekly[WEEKDAYS[weekday(date)] as Weekday];
  const own = hours.dates.find((one) => isOn(one, date));
  if (own !== undefined) {
    const why = { name: own.name, is: "own" } as const;
    if (own.hours === "as-usual") return { intervals: usual, why };
    return { intervals: own.hours === "closed" ? [] : own.hours.open, why };
  }
  const found = hours.holidays === "none" ? undefined : brazil(date);
  if (found !== undefined && (!found.isOptional || hours.holidays === "brazil-with-optional")) {
    return { intervals: [], why: { name: found.name, is: "holiday" } };
  }
  return { intervals: usual };
}

/** Whether a date of the company's own is on a day. */
export function isOn({ on, until = on, every_year }: OwnDate, date: string): boolean {
  if (!every_year) return on <= date && date <= until;
  const [first, last, this_] = [on.slice(5), until.slice(5), date.slice(5)];
  // Some runs go over the end of the year.
  return first <= last ? first <= this_ && this_ <= last : this_ >= first || this_ <= last;
}

const at = (date: string) => Date.parse(`${date}T00:00:00Z`);
const DAY_MS = 86_400_000;

/** 0 is Sunday. */
export function weekday(date: string): number {
  return new Date(at(date)).getUTCDay();
}

/** How many days from one to the other. */
export function days(from: string, to: string): number {
  return Math.round((at(to) - at(from)) / DAY_MS);
}

export function plus(date: string, count: number): string {
  return new Date(at(date) + count * DAY_MS).toISOString().slice(0, 10);
}

/** The weeks that show a month (`2026-12`), from Sunday to Saturday, with what is left and right of it. */
export function month(of: string): readonly (readonly string[])[] {
  const first = `${of}-01`;
  const start = plus(first, -weekday(first));
  const [year = 0, number = 1] = of.split("-").map(Number);
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const weeks = Math.ceil((weekday(first) + length) / 7);
  return Array.from({ length: weeks }, (_, row) =>
    Array.from({ length: 7 }, (_, column) => plus(start, row * 7 + column)),
  );
}

/** The month that is so many after another. */
export function monthPlus(of: string, count: number): string {
  const [year = 0, number = 1] = of.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7);
}

/** Hours as one reads them: `9–12 · 13–18`. */
export function short(intervals: readonly Interval[]): string {
  const clock = (time: string) => time.replace(/^0/, "").replace(/:00$/, "");
  return intervals.map(({ from, to }) => `${clock(from)}–${clock(to)}`).join(" · ");
}
