// What the address of the wall keeps. No browser in here: it is loaded with the first page.

/** What is open in the panel beside the wall: it stands in the address. */
export type Shown = { readonly agent?: string; readonly queue?: string };

export function read(search: Readonly<Record<string, unknown>>): Shown {
  if (typeof search.agent === "string") return { agent: search.agent };
  if (typeof search.queue === "string") return { queue: search.queue };
  return {};
}
