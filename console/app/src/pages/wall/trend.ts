// The day of a queue as lines. No browser in here.

import type { Schemas } from "../../api/client";

type Quarter = Pick<Schemas["TrendQuarter"], "arrived" | "answered">;

/** The room of a drawing, in its own units. */
export const ROOM = { width: 120, height: 24 };

export type Drawn = {
  /** What came, as the points of a line. */
  readonly arrived: string;
  /** What of it was answered. */
  readonly answered: string;
};

/** The lines of a day from its first customer on; nothing before there are two quarters of an hour. */
export function drawn(quarters: readonly Quarter[]): Drawn | null {
  const first = quarters.findIndex(({ arrived }) => arrived > 0);
  const shown = first === -1 ? [] : quarters.slice(Math.max(0, first - 1));
  if (shown.length < 2) return null;
  const most = Math.max(...shown.map(({ arrived, answered }) => Math.max(arrived, answered)));
  const line = (of: keyof Quarter) =>
    shown
      .map((quarter, index) => {
        const x = (ROOM.width * index) / (shown.length - 1);
        const y = ROOM.height - 1 - ((ROOM.height - 2) * quarter[of]) / most;
        return `${round(x)},${round(y)}`;
      })
      .join(" ");
  return { arrived: line("arrived"), answered: line("answered") };
}

const round = (value: number) => Math.round(value * 10) / 10;

/** The days of several queues as one. */
export function together(all: readonly (readonly Quarter[])[]): readonly Quarter[] {
  const longest = Math.max(0, ...all.map((quarters) => quarters.length));
  return Array.from({ length: longest }, (_, index) => {
    const at = all.flatMap((quarters) => quarters[index] ?? []);
    const sum = (of: keyof Quarter) => at.reduce((made, quarter) => made + quarter[of], 0);
    return { arrived: sum("arrived"), answered: sum("answered") };
  });
}
