import { describe, expect, it } from "vitest";
import { asField, easter, moments } from "../src/pages/ura/flow/moments";

const names = { sunday: "Domingo", christmas: "Natal", carnival: "Carnaval" };
const told = (now: Date, dates: Parameters<typeof moments>[1] = []) =>
  moments(now, dates, names).map(({ name, at }) => `${name} ${asField(at)}`);

describe("the moments at which a flow is tried", () => {
  it("are the next of their kind", () => {
    expect(told(new Date(2026, 10, 23, 15, 0))).toEqual([
      "Domingo 2026-11-29T23:10",
      "Natal 2026-12-25T12:00",
      "Carnaval 2027-02-09T12:00",
    ]);
    expect(told(new Date(2026, 11, 27, 23, 10))).toEqual([
      "Domingo 2027-01-03T23:10",
      "Natal 2027-12-25T12:00",
      "Carnaval 2027-02-09T12:00",
    ]);
    expect(told(new Date(2026, 10, 29, 9, 0))[0]).toBe("Domingo 2026-11-29T23:10");
  });

  it("are the calendar's own dates that are still to come, the nearest first", () => {
    const dates = [
      { name: "Recesso", on: "2020-12-24", every_year: true },
      { name: "Passou", on: "2020-05-05" },
      { name: "Plantão", on: "2026-11-30" },
    ];
    expect(told(new Date(2026, 10, 23), dates).slice(3)).toEqual([
      "Plantão 2026-11-30T12:00",
      "Recesso 2026-12-24T12:00",
    ]);
  });

  it("know Easter as the almanacs have it", () => {
    const known = ["1943-04-25", "1954-04-18", "1981-04-19", "2019-04-21", "2024-03-31"];
    const later = ["2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25"];
    for (const day of [...known, ...later]) {
      expect(asField(easter(Number(day.slice(0, 4)))).slice(0, 10)).toBe(day);
    }
  });
});
