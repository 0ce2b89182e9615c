// What ids are called, where a page shows those of many.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, asked, type Schemas } from "../../api/client";
import { type Area, may } from "../../api/may";
import { agency, services, session, targets } from "../../api/questions";

/** Those who take work. */
const agents = queryOptions({
  queryKey: ["agents"],
  staleTime: 60_000,
  queryFn: async () => (await asked(api.GET("/api/v1/agents", { params: {} }))).items,
});

/** As many as the program lists at once. */
const LIST_MAX = 500;

const numbers = queryOptions({
  queryKey: ["numbers"],
  staleTime: 300_000,
  queryFn: async () => {
    const params = { query: { limit: LIST_MAX } };
    return (await asked(api.GET("/api/v1/numbers", { params }))).items;
  },
});

const channels = queryOptions({
  queryKey: ["channels", "named"],
  staleTime: 300_000,
  queryFn: async () => {
    const params = { query: { limit: LIST_MAX } };
    return (await asked(api.GET("/api/v1/channels", { params }))).items;
  },
});

/** A service as far as it is known to everybody. */
export type Named = Pick<Schemas["Service"], "id" | "name"> &
  Partial<Pick<Schemas["Service"], "rules" | "disabled">>;

/** The services, by their names; of an area those about whose customers one may ask. */
export function useServices(area?: Area): readonly Named[] | undefined {
  const { data: me } = useQuery(session);
  const { data: mine } = useQuery({ ...agency(me?.user ?? ""), enabled: me != null });
  const { data: all } = useQuery({ ...services, enabled: may(me, "services", "view") });
  const near = useNear("services");
  const known: readonly Named[] | undefined = all ?? near?.services;
  const isLimited = area !== undefined && me?.permissions[area]?.scope === "services";
  return isLimited ? known?.filter(({ id }) => mine?.services.includes(id)) : known;
}

/** Those who take work, by their names. */
export function usePeople(): readonly { readonly id: string; readonly name: string }[] | undefined {
  const { data: me } = useQuery(session);
  const { data: all } = useQuery({ ...agents, enabled: may(me, "desk", "view") });
  const near = useNear("desk");
  return all ?? near?.agents;
}

/** Whom agents may hand something to: what they know of those whom they may not read all of. */
function useNear(area: Area) {
  const { data: me } = useQuery(session);
  const { data: mine } = useQuery({ ...agency(me?.user ?? ""), enabled: me != null });
  return useQuery({ ...targets, enabled: mine != null && !may(me, area, "view") }).data;
}

/** The numbers of the company, for those who may read them. */
export function useNumbers() {
  const { data: me } = useQuery(session);
  return useQuery({ ...numbers, enabled: may(me, "channels", "view") }).data;
}

/** Where is written, for those who may read how. */
export function useChannels() {
  const { data: me } = useQuery(session);
  return useQuery({ ...channels, enabled: may(me, "channels", "view") }).data;
}

/** The name of a service, of an agent; empty for those that are gone. */
export type Names = {
  readonly service: (id: string | null | undefined) => string;
  readonly person: (id: string | null | undefined) => string;
};

export function useNames(): Names {
  const served = useServices();
  const people = usePeople();
  // The same as long as nothing has another name: what is drawn with it is not drawn anew.
  return useMemo(
    () => ({
      service: (id) => served?.find((one) => one.id === id)?.name ?? "",
      person: (id) => people?.find((one) => one.id === id)?.name ?? "",
    }),
    [served, people],
  );
}
