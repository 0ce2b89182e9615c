// The national holidays of Brazil, as the program keeps them: to be seen on a calendar before it is saved.

import { days } from "./hours";

const FIXED: Readonly<Record<string, string>> = {
  "01-01": "Confraternização Universal",
  "04-21": "Tiradentes",
  "05-01": "Dia do Trabalho",
  "09-07": "Independência do Brasil",
  "10-12": "Nossa Senhora Aparecida",
  "11-02": "Finados",
  "11-15": "Proclamação da República",
  "11-20": "Consciência Negra",
  "12-25": "Natal",
};

/** By days after Easter. */
const MOVABLE: Readonly<Record<number, { name: string; isOptional: boolean }>> = {
  [-48]: { name: "Carnaval", isOptional: true },
  [-47]: { name: "Carnaval", isOptional: true },
  [-2]: { name: "Sexta-feira Santa", isOptional: false },
  60: { name: "Corpus Christi", isOptional: true },
};

/** The holiday that a day (`2026-12-25`) is in Brazil, if any. */
export function brazil(date: string): { name: string; isOptional: boolean } | undefined {
  const fixed = FIXED[date.slice(5)];
  if (fixed !== undefined) return { name: fixed, isOptional: false };
  return MOVABLE[days(easter(Number(date.slice(0, 4))), date)];
}

/**
 * Easter Sunday of a year in the Gregorian calendar: the age of the moon from the 19-year cycle, with the
 * century's corrections, and then the Sunday after the full moon on or after 21 March.
 */
export function easter(year: number): string {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const corrections = century - Math.floor(century / 4) - Math.floor((8 * century + 13) / 25);
  let age = (corrections + 19 * golden + 15) % 30;
  // What keeps full moons of one cycle apart.
  if (age === 29 || (age === 28 && golden > 10)) age -= 1;
  const moon = new Date(Date.UTC(year, 2, 21 + age));
  moon.setUTCDate(moon.getUTCDate() + 7 - moon.getUTCDay());
  return moon.toISOString().slice(0, 10);
}
