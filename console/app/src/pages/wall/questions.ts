// What the panels beside the wall ask of the program, and what is ordered by them.

import { queryOptions } from "@tanstack/react-query";
import { api, asked, type Schemas } from "../../api/client";

export type Order = "listen" | "whisper" | "barge" | "take_over";

/** How often what is in hand is asked for while somebody looks, in milliseconds. */
const LOOKED_AT_MS = 3_000;

/** As many as are open at once in a company of this size. */
const OPEN_MAX = 500;

/** The interactions that wait now. */
export const waiting = queryOptions({
  queryKey: ["waiting"],
  refetchInterval: LOOKED_AT_MS,
  staleTime: 0,
  queryFn: async () => {
    const params = { query: { state: "waiting", limit: OPEN_MAX } };
    return (await asked(api.GET("/api/v1/interactions", { params }))).items;
  },
});

/** How often the lines of the day are drawn anew, in milliseconds: they are of quarters of an hour. */
const DAY_MS = 60_000;

/** The day of each queue so far, by quarters of an hour. */
export const trends = queryOptions({
  queryKey: ["trend"],
  refetchInterval: DAY_MS,
  queryFn: async () => (await asked(api.GET("/api/v1/trend", { params: {} }))).items,
});

/** Who would get a work now, and why nobody has it yet. */
export const explanation = (work: string) =>
  queryOptions({
    queryKey: ["explain", work],
    staleTime: 0,
    queryFn: () => asked(api.GET("/api/v1/work/{id}/explain", { params: { path: { id: work } } })),
  });

export function order(call: string, what: Order): Promise<unknown> {
  const params = { path: { id: call } };
  return asked(api.POST("/api/v1/calls/{id}/orders", { params, body: { order: what } }));
}

export function setPresence(agent: string, body: Schemas["Ordered"]): Promise<unknown> {
  const params = { path: { id: agent } };
  return asked(api.PUT("/api/v1/agents/{id}/presence", { params, body }));
}

/** Has who waits wait for another service. */
export function setService(work: string, service: string): Promise<unknown> {
  const params = { path: { id: work } };
  return asked(api.PUT("/api/v1/work/{id}/service", { params, body: { service } }));
}

/** Hands on what somebody else has in hand. */
export function handOn(interaction: string, to: Schemas["Handing"]["to"]): Promise<unknown> {
  const params = { path: { id: interaction } };
  return asked(api.POST("/api/v1/interactions/{id}/transfer", { params, body: { to } }));
}

export function setPriority(work: string, priority: number): Promise<unknown> {
  const params = { path: { id: work } };
  return asked(api.PUT("/api/v1/work/{id}/priority", { params, body: { priority } }));
}
