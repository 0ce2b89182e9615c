import { useQuery } from "@tanstack/react-query";
import { api, asked, type Schemas } from "../../../api/client";
import { all } from "../parts/resource";
import { services } from "../services/resource";
import { lackOfChannel } from "./lack";
import { Ready } from "./ready";

/** How often the health of a channel is looked at, in milliseconds. */
const EVERY_MS = 30_000;

export function useHealth(id: string) {
  return useQuery({
    queryKey: ["channel-health", id],
    refetchInterval: EVERY_MS,
    queryFn: () => asked(api.GET("/api/v1/channels/{id}/health", { params: { path: { id } } })),
  });
}

/** Whether customers can come by a channel, or what is missing first. */
export function ChannelState({ channel }: { channel: Schemas["Channel"] }) {
  const { id, kind, service } = channel;
  const health = useHealth(id);
  const mailbox = useQuery({
    queryKey: ["channel-health", id, "mailbox"],
    enabled: kind === "email",
    refetchInterval: EVERY_MS,
    queryFn: () => asked(api.GET("/api/v1/channels/{id}/email", { params: { path: { id } } })),
  });
  const known = useQuery(all(services));
  const agents = useQuery({
    queryKey: ["services", "agents", service],
    staleTime: 60_000,
    queryFn: async () => {
      const params = { path: { id: service } };
      return (await asked(api.GET("/api/v1/services/{id}/agents", { params }))).agents;
    },
  });
  const found = known.data?.find((one) => one.id === service);
  const lack = lackOfChannel(channel, {
    health: health.data?.state,
    mailbox: mailbox.data?.state,
    hasAgents: agents.data === undefined ? undefined : agents.data.length > 0,
    serves: found === undefined ? undefined : found.disabled !== true,
  });
  return <Ready lack={lack} />;
}
