// Moments at which a flow is worth trying: a Sunday night, the holidays, the dates of a calendar.

export type Moment = { readonly name: string; readonly at: Date };

type OwnDate = { name: string; on: string; every_year?: boolean };

/** Easter Sunday, by the rule of Gauss as corrected for all years of the Gregorian calendar. */
export function easter(year: number): Date {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const skipped = century - Math.floor(century / 4) - Math.floor((8 * century + 13) / 25);
  const age = (19 * golden + skipped + 15) % 30;
  const moon =
    age - Math.floor(age / 28) * (1 - Math.floor(29 / (age + 1)) * Math.floor((21 - golden) / 11));
  const weekday = (year + Math.floor(year / 4) + moon + 2 - century + Math.floor(century / 4)) % 7;
  const day = moon - weekday;
  const month = 3 + Math.floor((day + 40) / 44);
  return new Date(year, month - 1, day + 28 - 31 * Math.floor(month / 4));
}

/** A Sunday's last hour, an evening of Carnaval and of Christmas, and the calendar's own dates, each the next. */
export function moments(
  now: Date,
  dates: readonly OwnDate[],
  names: Record<Known, string>,
): Moment[] {
  const later = (at: Date) => at > now;
  const sunday = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 23, 10);
  sunday.setDate(sunday.getDate() + ((7 - sunday.getDay()) % 7));
  if (!later(sunday)) sunday.setDate(sunday.getDate() + 7);
  const years = [now.getFullYear(), now.getFullYear() + 1];
  const next = (of: (year: number) => Date) => years.map(of).find(later) ?? of(years[1] ?? 0);
  const own = dates.flatMap(({ name, on, every_year }) => {
    const [year = 0, month = 1, day = 1] = on.split("-").map(Number);
    const on_ = (year: number) => new Date(year, month - 1, day, NOON);
    const at = every_year === true ? next(on_) : on_(year);
    return later(at) ? [{ name, at }] : [];
  });
  const carnival = next((year) => {
    const day = easter(year);
    return new Date(year, day.getMonth(), day.getDate() - TO_CARNIVAL, NOON);
  });
  const first = own.sort((a, b) => a.at.getTime() - b.at.getTime()).slice(0, OWN_MAX);
  return [
    { name: names.sunday, at: sunday },
    { name: names.christmas, at: next((year) => new Date(year, 11, 25, NOON)) },
    { name: names.carnival, at: carnival },
    ...first,
  ];
}

export type Known = "sunday" | "christmas" | "carnival";

const NOON = 12;

/** From the Tuesday of Carnaval to Easter, in days. */
const TO_CARNIVAL = 47;

/** So many dates of its own are offered. */
const OWN_MAX = 3;

/** A moment as a field for dates and times holds it: in the time of whoever looks. */
export function asField(at: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
