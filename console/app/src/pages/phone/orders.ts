import { useMutation, useQuery } from "@tanstack/react-query";
import { api, asked, type Schemas } from "../../api/client";
import { session } from "../../api/questions";
import { live } from "../../live/live";
import { store, useStore } from "../../live/store";
import { notice, useWhy } from "../../parts/notices";
import { expect, expectNobody, mute } from "../../phone/handset";
import { mine } from "../../phone/seen";

export type Order = Schemas["Order"];

/** The call in which one is. */
export function useCall() {
  const { data: who } = useQuery(session);
  const me = who?.user ?? "";
  const call = useStore(live, ({ calls }) => mine(calls, me));
  return { call, me };
}

/** Has something done with a call. */
export function useOrder(interaction: string) {
  const why = useWhy();
  return useMutation({
    mutationFn: (body: Order) =>
      asked(api.POST("/api/v1/calls/{id}/orders", { params: { path: { id: interaction } }, body })),
    onError: (error) => notice(why(error)),
  });
}

/** Is silent at once, and has it known. */
export function useMute(interaction: string) {
  const order = useOrder(interaction);
  return (isMuted: boolean) => {
    mute(isMuted);
    order.mutate(
      { order: isMuted ? "mute" : "unmute" },
      // Who was refused to be heard again is shown as they are.
      { onError: () => mute(!isMuted) },
    );
  };
}

/** Whom one has called last from this window, as it was typed. */
export const called = store("");

/** Calls somebody: one's own phone rings first, which is taken by itself. */
export function useDial(refused: (sentence: string) => void = notice) {
  const why = useWhy();
  return useMutation({
    mutationFn: async (to: string) => {
      expect();
      called.set(to);
      return asked(api.POST("/api/v1/calls", { body: { to } }));
    },
    onError: (error) => {
      expectNobody();
      refused(why(error));
    },
  });
}
