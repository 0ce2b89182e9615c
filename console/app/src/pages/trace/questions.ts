// What is asked of the program about one interaction.

import { queryOptions } from "@tanstack/react-query";
import { api, asked } from "../../api/client";
import type { Query } from "./filters";

/** How often what is still going on is asked for again, in milliseconds. */
const OPEN_EVERY_MS = 4_000;

const of = (id: string) => ({ path: { id } });

export const interaction = (id: string) =>
  queryOptions({
    queryKey: ["interaction", id],
    queryFn: () => asked(api.GET("/api/v1/interactions/{id}", { params: of(id) })),
    refetchInterval: ({ state }) =>
      state.data !== undefined && state.data.ended_ms == null ? OPEN_EVERY_MS : false,
  });

export const recordings = (id: string) =>
  queryOptions({
    queryKey: ["interaction", id, "recordings"],
    queryFn: async () =>
      (await asked(api.GET("/api/v1/interactions/{id}/recordings", { params: of(id) }))).items,
  });

export const leftMessages = (id: string) =>
  queryOptions({
    queryKey: ["interaction", id, "left"],
    queryFn: async () =>
      (await asked(api.GET("/api/v1/interactions/{id}/voice-messages", { params: of(id) }))).items,
  });

export const decisions = (id: string) =>
  queryOptions({
    queryKey: ["interaction", id, "decisions"],
    queryFn: async () =>
      (await asked(api.GET("/api/v1/interactions/{id}/decisions", { params: of(id) }))).items,
  });

export const sip = (id: string) =>
  queryOptions({
    queryKey: ["interaction", id, "sip"],
    queryFn: async () => {
      const params = { ...of(id), query: { full: true } };
      return (await asked(api.GET("/api/v1/interactions/{id}/sip", { params }))).legs;
    },
  });

export const answers = (id: string) =>
  queryOptions({
    queryKey: ["interaction", id, "answers"],
    queryFn: async () => {
      const params = { query: { interaction: id } };
      return (await asked(api.GET("/api/v1/survey-answers", { params }))).items;
    },
  });

/** How many there are, as far as the program counts. */
export const count = (asks: Query) =>
  queryOptions({
    queryKey: ["interactions", "count", asks],
    queryFn: () => asked(api.GET("/api/v1/interactions/count", { params: { query: asks } })),
  });

/** The words by which people find interactions again. */
export const tags = queryOptions({
  queryKey: ["tags"],
  staleTime: 30_000,
  queryFn: async () => (await asked(api.GET("/api/v1/tags", { params: {} }))).items,
});
