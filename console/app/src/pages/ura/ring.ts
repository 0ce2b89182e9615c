// Calls to oneself: the window's own phone takes them, and what callers would hear is heard.

import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, Refused } from "../../api/client";
import { useWhy } from "../../parts/notices";
import { expect, hangUp, ready } from "../../phone/handset";

/** How often one looks where a call is, in milliseconds: soon enough to see the path light up while one hears. */
const LOOK_EVERY_MS = 1_000;

const call = (interaction: string) =>
  queryOptions({
    queryKey: ["interaction", interaction],
    refetchInterval: ({ state }) => (state.data?.ended_ms == null ? LOOK_EVERY_MS : false),
    queryFn: () => {
      const params = { path: { id: interaction } };
      return asked(api.GET("/api/v1/interactions/{id}", { params }));
    },
  });

/** A call that is placed to be heard here, and how it stands. */
export function useRing(place: () => Promise<{ interaction: string }>) {
  const { t } = useTranslation("ura");
  const sentence = useWhy();
  const placing = useMutation({
    mutationFn: async () => {
      await ready();
      expect();
      return place();
    },
  });
  const interaction = placing.data?.interaction;
  const { data: found } = useQuery({
    ...call(interaction ?? ""),
    enabled: interaction !== undefined,
  });
  const { error } = placing;
  return {
    ring: () => placing.mutate(),
    press: (keys: string) => {
      if (interaction === undefined) return;
      const params = { path: { id: interaction } };
      void asked(api.POST("/api/v1/calls/{id}/orders", { params, body: { order: "press", keys } }));
    },
    hangUp,
    found,
    isPlacing: placing.isPending,
    isUp: interaction !== undefined && found?.ended_ms == null,
    why: error === null ? "" : error instanceof Refused ? sentence(error) : t("hear.noPhone"),
  };
}
