/** Letters and digits that nobody takes for one another. */
const SIGNS = "abcdefghjkmnpqrstuvwxyz23456789";

/** A password that can be read out on the telephone: 31^16 is more than anybody tries. */
export function password(): string {
  const signs: string[] = [];
  // What is beyond a whole number of rounds would make some signs likelier.
  const end = 256 - (256 % SIGNS.length);
  while (signs.length < 16) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < end) signs.push(SIGNS[byte % SIGNS.length] ?? "");
  }
  return signs.join("");
}
