// Channels of one kind: they are kept in one list, and each kind has settings of its own.

import type { Schemas } from "../../../api/client";
import { channels } from "../kept";
import type { Resource } from "../parts/resource";

export type Kind = "generic" | "whatsapp" | "email" | "webchat";

export type ChannelBody<S> = Omit<Schemas["ChannelRequest"], "settings"> & { settings: S };

export type ChannelOf<S> = Omit<Schemas["Channel"], "settings"> & { settings: S };

type Made<S> = ChannelOf<S> & Pick<Schemas["ChannelCreated"], "webhook_secret" | "identity_secret">;

export function channelsOf<S>(kind: Kind): Resource<ChannelOf<S>, ChannelBody<S>, Made<S>> & {
  only: string;
} {
  const resource = channels as unknown as Resource<ChannelOf<S>, ChannelBody<S>, Made<S>>;
  return {
    ...resource,
    only: kind,
    page: async (after) => {
      const { items, ...rest } = await resource.page(after);
      return { ...rest, items: items.filter((channel) => channel.kind === kind) };
    },
  };
}

export function body<S>(channel: ChannelOf<S>): ChannelBody<S> {
  const { name, service, kind, disabled, webhook = null, transcripts_by = null } = channel;
  return { name, service, kind, disabled, webhook, transcripts_by, settings: channel.settings };
}

/** A channel that says and does nothing by itself. */
export const QUIET: Schemas["LifeSettings"] = {
  bot: null,
  expiry: null,
  flow: null,
  position: null,
  waiting: null,
};
