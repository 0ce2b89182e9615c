// Where the steps of a document are drawn that says it of none: from left to right as a call goes.

import type { Document } from "../document";
import { exits, type Place } from "./graph";

/** How wide a step is drawn, and the room between columns, in pixels. */
export const WIDTH = 220;
const COLUMN = WIDTH + 60;

/** How tall a step is drawn without its exits, an exit, and the room between steps, in pixels. */
const HEAD = 68;
const EXIT = 26;
const GAP = 34;

/** How tall a step is drawn. */
export function height(document: Document, id: string): number {
  const node = document.nodes[id];
  return node === undefined ? HEAD : HEAD + EXIT * exits(node).length;
}

/** The column of each step: as many steps as lead there at least from the beginning. */
function columns(document: Document): Map<string, number> {
  const found = new Map<string, number>();
  const walk = (first: string, column: number) => {
    let next = [first];
    for (let at = column; next.length > 0; at += 1) {
      const here = next.filter((id) => document.nodes[id] !== undefined && !found.has(id));
      for (const id of here) found.set(id, at);
      next = here.flatMap((id) => {
        const node = document.nodes[id];
        return node === undefined ? [] : exits(node).map(({ to }) => to);
      });
    }
  };
  walk(document.entry, 0);
  const last = Math.max(0, ...found.values());
  if (document.failure != null) walk(document.failure, last);
  // What nothing leads to stands below, and is told of as such.
  for (const id of Object.keys(document.nodes)) if (!found.has(id)) walk(id, 0);
  return found;
}

/** A place for every step, none upon another. */
export function arrange(document: Document): Record<string, Place> {
  const columnOf = columns(document);
  const byColumn = new Map<number, string[]>();
  for (const [id, column] of columnOf) byColumn.set(column, [...(byColumn.get(column) ?? []), id]);
  const places: Record<string, Place> = {};
  for (const [column, ids] of [...byColumn].sort(([a], [b]) => a - b)) {
    const wanted = new Map(ids.map((id) => [id, wish(document, id, places)]));
    const last = (id: string) => wanted.get(id) ?? Number.MAX_SAFE_INTEGER;
    const sorted = [...ids].sort((a, b) => last(a) - last(b));
    let free = 0;
    for (const id of sorted) {
      const y = Math.max(free, Math.round(wanted.get(id) ?? free));
      places[id] = { x: column * COLUMN, y };
      free = y + height(document, id) + GAP;
    }
  }
  return places;
}

/** Where a step would best stand: beside the exit that leads to it, of the first that does. */
function wish(
  document: Document,
  id: string,
  places: Readonly<Record<string, Place>>,
): number | undefined {
  for (const [from, place] of Object.entries(places)) {
    const node = document.nodes[from];
    const way = node === undefined ? -1 : exits(node).findIndex(({ to }) => to === id);
    if (way >= 0) return place.y + way * EXIT;
  }
  return undefined;
}

/** Whether a step stands upon another. */
export function overlaps(document: Document): boolean {
  const boxes = Object.entries(document.layout ?? {}).filter(([id]) => document.nodes[id]);
  return boxes.some(([a, one]) =>
    boxes.some(
      ([b, other]) =>
        a < b &&
        Math.abs(one.x - other.x) < WIDTH &&
        one.y < other.y + height(document, b) &&
        other.y < one.y + height(document, a),
    ),
  );
}

/** The places that the document has, and for the steps that have none the ones they would get. */
export function placesOf(document: Document): Record<string, Place> {
  const layout = document.layout ?? {};
  const ids = Object.keys(document.nodes);
  if (ids.every((id) => layout[id] !== undefined)) return places(layout, ids);
  const made = arrange(document);
  if (ids.every((id) => layout[id] === undefined)) return made;
  const lowest = Math.max(
    ...ids.map((id) => (layout[id] === undefined ? 0 : layout[id].y + height(document, id))),
  );
  return Object.fromEntries(
    ids.map((id) => {
      const kept = layout[id];
      const { x, y } = kept ?? { x: made[id]?.x ?? 0, y: (made[id]?.y ?? 0) + lowest + GAP };
      return [id, { x, y }];
    }),
  );
}

function places(layout: NonNullable<Document["layout"]>, ids: readonly string[]) {
  return Object.fromEntries(
    ids.map((id) => [id, { x: layout[id]?.x ?? 0, y: layout[id]?.y ?? 0 }]),
  );
}
