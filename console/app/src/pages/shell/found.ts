// What the palette offers by what is typed. No browser in here.

export type Entry = {
  readonly id: string;
  readonly name: string;
  /** What else it is known by. */
  readonly more?: string;
  readonly group: string;
  readonly keys?: string;
  readonly does: () => void;
};

/** Those in which every word that was typed begins some word, the nearest to it first; in their groups. */
export function sought(all: readonly Entry[], typed: string): readonly Entry[] {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  if (words.length === 0) return all;
  const near = all.flatMap((entry) => {
    const score = nearness(entry, words);
    return score === 0 ? [] : [{ entry, score }];
  });
  const order = [...new Set(all.map(({ group }) => group))];
  return near
    .sort(
      (a, b) => order.indexOf(a.entry.group) - order.indexOf(b.entry.group) || b.score - a.score,
    )
    .map(({ entry }) => entry);
}

/** 0 where it is not meant; more where the name begins with what was typed. */
function nearness({ name, more = "" }: Entry, words: readonly string[]): number {
  const own = plain(name);
  const all = `${own} ${plain(more)}`.split(/[^\p{L}\p{N}]+/u);
  const isMeant = words.every((word) => all.some((one) => one.startsWith(word)));
  if (!isMeant) return 0;
  return own.startsWith(words[0] ?? "") ? 2 : 1;
}

/** Without accents and capitals: nobody types them to find something. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
