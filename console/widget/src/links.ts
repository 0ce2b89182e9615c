// Words with links in them: found here, never written as HTML.

/** A piece of a text. */
export type Piece = { text: string; href?: string };

/** Splits a text where there are addresses of the web and of mail. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const whole = trimmed(match[0]);
    if (whole === "") continue;
    const href = target(whole);
    if (href === undefined) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push({ text: whole, href });
    from = match.index + whole.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** What ends a sentence does not belong to an address; nor does a bracket that was opened before it. */
function trimmed(address: string): string {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1] ?? "";
    const inside = address.slice(0, end);
    if (last === ")" && inside.split("(").length >= inside.split(")").length) break;
    if (!".,;:!?)]}'\"»”’*_".includes(last)) break;
    end -= 1;
  }
  return address.slice(0, end);
}

function target(address: string): string | undefined {
  if (/^[^\s@/]+@[^\s@/]+\.[a-z]{2,}$/i.test(address)) return `mailto:${address}`;
  try {
    const url = new URL(/^https?:\/\//i.test(address) ? address : `https://${address}`);
    // A name before the host makes a stranger's page look like another.
    return url.username === "" && url.password === "" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Bounded in each part, so that a text without an address is read in no time however long it is. */
const ADDRESS =
  /\b(?:https?:\/\/|www\.)[^\s<>"]{1,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/gi;
