// What the address of a report keeps. No browser in here: it is loaded with the first page.

import { type Filters, MEDIA } from "../trace/address";

export const KINDS = ["services", "agents", "channels", "hours", "days", "surveys"] as const;

export type Kind = (typeof KINDS)[number];

/** What the address keeps. */
export type Wanted = Pick<Filters, "period" | "from" | "until" | "service"> & {
  readonly by?: Kind;
  readonly medium?: string;
};

/** The wanted of an address, whoever wrote it. */
export function read(search: Readonly<Record<string, unknown>>, filters: Filters): Wanted {
  const by = KINDS.find((known) => known === search.by);
  const medium = MEDIA.find((known) => known === search.medium);
  const { period, from, until, service } = filters;
  return {
    ...(by && { by }),
    ...(period && { period }),
    ...(from && { from }),
    ...(until && { until }),
    ...(service && { service }),
    ...(medium && { medium }),
  };
}
