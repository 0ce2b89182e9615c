import { describe, expect, it } from "vitest";
import { clockTime } from "../src/pages/settings/calendars/clock";
import { brazil, easter } from "../src/pages/settings/calendars/holidays";
import {
  day,
  hours,
  isOn,
  month,
  monthPlus,
  type OwnDate,
  plus,
  short,
} from "../src/pages/settings/calendars/hours";

describe("the holidays", () => {
  it("that follow Easter follow the almanacs'", () => {
    const known = [
      "1818-03-22",
      "1943-04-25",
      "1954-04-18",
      "1981-04-19",
      "2026-04-05",
      "2038-04-25",
    ];
    expect(known.map((date) => easter(Number(date.slice(0, 4))))).toEqual(known);
  });

  it("of 2026 are ten of the nation and three that are optional", () => {
    const year = Array.from({ length: 365 }, (_, at) => brazil(plus("2026-01-01", at)));
    const found = year.filter((one) => one !== undefined);
    expect(found.filter(({ isOptional }) => isOptional)).toHaveLength(3);
    expect(found).toHaveLength(13);
    expect(brazil("2026-02-17")).toEqual({ name: "Carnaval", isOptional: true });
  });
});

const own = (changes: Partial<OwnDate>): OwnDate => ({
  name: "Férias",
  on: "2026-12-28",
  every_year: false,
  hours: "closed",
  ...changes,
});

describe("a date of one's own", () => {
  it("lasts until its last day", () => {
    const run = own({ until: "2027-01-02" });
    expect(isOn(run, "2027-01-02")).toBe(true);
    expect(isOn(run, "2027-01-03")).toBe(false);
    expect(isOn(run, "2027-12-28")).toBe(false);
  });

  it("returns every year, over New Year's Eve too", () => {
    const run = own({ until: "2027-01-02", every_year: true });
    expect(isOn(run, "2031-12-31")).toBe(true);
    expect(isOn(run, "2031-01-02")).toBe(true);
    expect(isOn(run, "2031-01-03")).toBe(false);
  });
});

describe("a day", () => {
  const open = [{ from: "09:00", to: "12:00" }];
  const kept = hours({
    time_zone: "America/Sao_Paulo",
    schedule: { weekly: { friday: open } },
    holidays: "brazil",
    dates: [{ name: "Véspera", on: "2026-12-24", hours: { open } }],
  });

  it("has the hours of its weekday", () => {
    expect(day(kept, "2026-12-18").intervals).toEqual(open);
    expect(day(kept, "2026-12-17").intervals).toEqual([]);
  });

  it("is closed on a holiday, and says which", () => {
    expect(day(kept, "2026-12-25")).toEqual({
      intervals: [],
      why: { name: "Natal", is: "holiday" },
    });
  });

  it("is open on a date of the company's own, whatever else it is", () => {
    const natal = { name: "Natal aberto", on: "2026-12-25", hours: "as-usual" };
    expect(day(hours({ ...kept, dates: [natal] }), "2026-12-25").intervals).toEqual(open);
    expect(day(kept, "2026-12-24").intervals).toEqual(open);
  });

  it("keeps an optional holiday only where those are kept", () => {
    const carnaval = { ...kept, schedule: "always", holidays: "brazil-with-optional" };
    expect(day(hours(carnaval), "2026-02-17").intervals).toEqual([]);
    expect(day(hours({ ...carnaval, holidays: "brazil" }), "2026-02-17").intervals).toHaveLength(1);
  });
});

describe("a month", () => {
  it("is shown in whole weeks from Sunday on", () => {
    const weeks = month("2026-12");
    expect(weeks).toHaveLength(5);
    expect(weeks[0]?.[0]).toBe("2026-11-29");
    expect(weeks[4]?.[6]).toBe("2027-01-02");
    expect(month("2026-02")).toHaveLength(4);
  });

  it("is followed by the next, over the end of the year too", () => {
    expect(monthPlus("2026-12", 1)).toBe("2027-01");
    expect(monthPlus("2026-01", -1)).toBe("2025-12");
  });

  it("shows hours as they are read", () => {
    const split = [
      { from: "09:00", to: "12:30" },
      { from: "13:00", to: "18:00" },
    ];
    expect(short(split)).toBe("9–12:30 · 13–18");
  });
});

describe("a time of the day", () => {
  it("is understood as it is typed", () => {
    expect(["9", "930", "9:30", "09h30", "24:00"].map(clockTime)).toEqual([
      "09:00",
      "09:30",
      "09:30",
      "09:30",
      "24:00",
    ]);
  });

  it("is none beyond the day", () => {
    expect(["", "25", "2430", "9:60", "12345"].map(clockTime)).toEqual(Array(5).fill(undefined));
  });
});
