// What in a text leads somewhere. No browser in here.

export type Piece = { readonly text: string; readonly href?: string };

/** Addresses of the web and of mail. What ends a sentence is no part of them. */
const ADDRESS = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'»”]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu;

/** The text in pieces, in its order; nothing of it is lost. */
export function pieces(text: string): readonly Piece[] {
  const all: Piece[] = [];
  let end = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const [address] = found;
    if (found.index > end) all.push({ text: text.slice(end, found.index) });
    const href = address.startsWith("http") ? address : `mailto:${address}`;
    all.push({ text: address, href });
    end = found.index + address.length;
  }
  if (end < text.length) all.push({ text: text.slice(end) });
  return all;
}
