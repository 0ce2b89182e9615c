// What ids are called, where a page shows those of many.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, asked } from "../../api/client";
import { services } from "../../api/questions";

/** Those who take work. */
export const agents = queryOptions({
  queryKey: ["agents"],
  staleTime: 60_000,
  queryFn: async () => (await asked(api.GET("/api/v1/agents", { params: {} }))).items,
});

/** As many as the program lists at once. */
const LIST_MAX = 500;

export const numbers = queryOptions({
  queryKey: ["numbers"],
  staleTime: 300_000,
  queryFn: async () => {
    const params = { query: { limit: LIST_MAX } };
    return (await asked(api.GET("/api/v1/numbers", { params }))).items;
  },
});

/** The name of a service, of an agent; empty for those that are gone. */
export type Names = {
  readonly service: (id: string | null | undefined) => string;
  readonly person: (id: string | null | undefined) => string;
};

export function useNames(): Names {
  const { data: allServices } = useQuery(services);
  const { data: allAgents } = useQuery(agents);
  return {
    service: (id) => allServices?.find((one) => one.id === id)?.name ?? "",
    person: (id) => allAgents?.find((one) => one.id === id)?.name ?? "",
  };
}
