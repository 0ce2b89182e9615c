// What is asked of the program, each under the key by which it is asked anew.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { actFor, api, asked, type Message, Refused, type Session, showCsrf } from "./client";

/** Who is here; null is nobody. */
export const session = queryOptions({
  queryKey: ["session"],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<Session | null> => {
    try {
      const found = await asked(api.GET("/api/v1/session"));
      await begin(found);
      return found;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return null;
      throw error;
    }
  },
});

/** Whose window this is; empty where nobody is logged in. */
export function useMe(): string {
  return useQuery(session).data?.user ?? "";
}

/** Where is kept for which company an administrator of the installation has chosen to act. */
export const COMPANY_KEPT = "ramal.company";

/** What is known from now on of whoever asks. */
export async function begin(found: Session): Promise<void> {
  showCsrf(found.csrf);
  actFor("");
  if (found.company != null) return;
  const { items } = await asked(api.GET("/api/v1/companies", { params: {} }));
  const kept = localStorage.getItem(COMPANY_KEPT);
  actFor((items.find(({ id }) => id === kept) ?? items[0])?.id ?? "");
}

/** Oneself as somebody who takes calls or work; null for who takes none. Who may become one meanwhile is asked about again. */
export const agency = (user: string) =>
  queryOptions({
    queryKey: ["agency", user],
    staleTime: ({ state }) => (state.data === null ? 0 : Number.POSITIVE_INFINITY),
    queryFn: async () => {
      try {
        return await asked(api.GET("/api/v1/agents/me"));
      } catch (error) {
        if (error instanceof Refused && !error.isPassing && error.status !== 401) return null;
        throw error;
      }
    },
  });

/** What one has in hand and is offered, the oldest first. */
export const work = queryOptions({
  queryKey: ["work"],
  queryFn: async () => (await asked(api.GET("/api/v1/agents/me/work"))).items,
});

/** Who has oneself be paused since then, and why; nothing where nobody has. */
export const forced = (since: number) =>
  queryOptions({
    queryKey: ["forced", since],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => (await asked(api.GET("/api/v1/agents/me"))).forced_by ?? null,
  });

/** The reasons for pauses from which one chooses. */
export const pauses = queryOptions({
  queryKey: ["pauses"],
  staleTime: 300_000,
  queryFn: async () => {
    const listed = await asked(api.GET("/api/v1/pauses"));
    return listed.items.filter((pause) => !pause.disabled);
  },
});

/** As many messages as the program gives at once. */
const MESSAGES_PAGE = 500;

/** The sentences that are written by a few letters: a company has a few hundred at the most. */
export const quickReplies = queryOptions({
  queryKey: ["quick-replies"],
  staleTime: 300_000,
  queryFn: async () => {
    const query = { limit: 500 };
    return (await asked(api.GET("/api/v1/quick-replies", { params: { query } }))).items;
  },
});

/** All that was written in an interaction, in its order. */
export const messages = (id: string) =>
  queryOptions({
    queryKey: ["messages", id],
    queryFn: async () => {
      const all: Message[] = [];
      for (;;) {
        const after_seq = all.at(-1)?.seq;
        const query = after_seq === undefined ? {} : { after_seq };
        const params = { path: { id }, query };
        const { items } = await asked(api.GET("/api/v1/interactions/{id}/messages", { params }));
        all.push(...items);
        if (items.length < MESSAGES_PAGE) return all;
      }
    },
  });

/** What may be written in an interaction now, and when that was asked. */
export const composer = (id: string) =>
  queryOptions({
    queryKey: ["composer", id],
    queryFn: async () => {
      const params = { path: { id } };
      const found = await asked(api.GET("/api/v1/interactions/{id}/composer", { params }));
      return { ...found, asked_ms: Date.now() };
    },
  });

export const templates = (channel: string) =>
  queryOptions({
    queryKey: ["templates", channel],
    staleTime: 60_000,
    queryFn: async () => {
      const params = { path: { id: channel } };
      return (await asked(api.GET("/api/v1/channels/{id}/templates", { params }))).items;
    },
  });

export const contact = (id: string) =>
  queryOptions({
    queryKey: ["contact", id],
    staleTime: 30_000,
    queryFn: () => asked(api.GET("/api/v1/contacts/{id}", { params: { path: { id } } })),
  });

/** The last interactions of a contact, the newest first. */
export const history = (id: string) =>
  queryOptions({
    queryKey: ["history", id],
    staleTime: 30_000,
    queryFn: async () => {
      const params = { path: { id }, query: { limit: 20 } };
      return (await asked(api.GET("/api/v1/contacts/{id}/interactions", { params }))).items;
    },
  });

/** The services of the company, for those who may read them. */
export const services = queryOptions({
  queryKey: ["services"],
  staleTime: 60_000,
  queryFn: async () => (await asked(api.GET("/api/v1/services", { params: {} }))).items,
});

/** To whom one may hand what one has in hand, and how they are now. */
export const targets = queryOptions({
  queryKey: ["targets"],
  staleTime: 5_000,
  queryFn: () => asked(api.GET("/api/v1/agents/me/targets")),
});

/** Whether one's own login asks for a second factor. */
export const secondFactor = queryOptions({
  queryKey: ["second-factor"],
  queryFn: () => asked(api.GET("/api/v1/session/second-factor")),
});

/** What colleagues noted of an interaction, the oldest first. */
export const notes = (id: string) =>
  queryOptions({
    queryKey: ["notes", id],
    queryFn: async () => {
      const params = { path: { id } };
      return (await asked(api.GET("/api/v1/interactions/{id}/notes", { params }))).items;
    },
  });

/** Customers and interactions by a few letters; interactions for those who may read all of them. */
export const found = (letters: string, all: boolean) =>
  queryOptions({
    queryKey: ["found", letters, all],
    queryFn: async () => {
      const limit = 6;
      const [contacts, interactions] = await Promise.all([
        asked(api.GET("/api/v1/contacts", { params: { query: { name: letters, limit } } })),
        all
          ? asked(api.GET("/api/v1/interactions", { params: { query: { text: letters, limit } } }))
          : undefined,
      ]);
      return { contacts: contacts.items, interactions: interactions?.items ?? [] };
    },
  });

/** A message as the mail that it is. */
export const mail = (id: string) =>
  queryOptions({
    queryKey: ["mail", id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => asked(api.GET("/api/v1/messages/{id}/mail", { params: { path: { id } } })),
  });
