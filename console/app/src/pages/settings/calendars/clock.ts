/** A time of the day as one types it: `9`, `930`, `9:30` or `09h30`; nothing where it is none. */
export function clockTime(typed: string): string | undefined {
  const digits = typed.replace(/\D/g, "");
  if (digits === "" || digits.length > 4) return undefined;
  const [hours, minutes] =
    digits.length <= 2 ? [digits, "00"] : [digits.slice(0, -2), digits.slice(-2)];
  const time = `${hours.padStart(2, "0")}:${minutes}`;
  return /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(time) ? time : undefined;
}
