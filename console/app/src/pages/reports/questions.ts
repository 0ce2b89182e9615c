// What is asked of the program for a report, and for the one of the time before.

import { queryOptions } from "@tanstack/react-query";
import { api, asked, namedCompany } from "../../api/client";
import type { Kind, Wanted } from "./address";
import type { Window } from "./figures";

function query(wanted: Wanted, { from, until }: Window) {
  const { service, medium } = wanted;
  return {
    from,
    until,
    ...(service && { service }),
    ...(medium && { medium }),
  };
}

const FIGURES = {
  services: "/api/v1/reports/services",
  agents: "/api/v1/reports/agents",
  channels: "/api/v1/reports/channels",
  hours: "/api/v1/reports/hours",
  days: "/api/v1/reports/days",
} as const;

export const figures = (by: Exclude<Kind, "surveys">, wanted: Wanted, window: Window) =>
  queryOptions({
    queryKey: ["report", by, query(wanted, window)],
    staleTime: 60_000,
    queryFn: () => asked(api.GET(FIGURES[by], { params: { query: query(wanted, window) } })),
  });

export const surveys = (wanted: Wanted, window: Window) =>
  queryOptions({
    queryKey: ["report", "surveys", query(wanted, window)],
    staleTime: 60_000,
    queryFn: () => {
      const params = { query: query(wanted, window) };
      return asked(api.GET("/api/v1/reports/surveys", { params }));
    },
  });

/** Where the same is as a table. */
export function table(by: Kind, wanted: Wanted, window: Window): string {
  const asks = new URLSearchParams(query(wanted, window)).toString();
  const company = namedCompany();
  return `/api/v1/reports/${by}.csv?${asks}${company === "" ? "" : `&${company}`}`;
}
