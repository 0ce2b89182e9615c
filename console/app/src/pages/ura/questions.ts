// What is asked about flows and what they are made of.

import { queryOptions } from "@tanstack/react-query";
import { api, asked, Refused } from "../../api/client";
import type { Document, Form } from "./document";

/** As many as the program gives at once; nobody has more flows, prompts or numbers to look through. */
const query = { limit: 500 };

export const flows = queryOptions({
  queryKey: ["flows"],
  queryFn: async () => (await asked(api.GET("/api/v1/flows", { params: { query } }))).items,
});

export const flow = (id: string) =>
  queryOptions({
    queryKey: ["flows", id],
    queryFn: () => asked(api.GET("/api/v1/flows/{id}", { params: { path: { id } } })),
  });

/** The draft as a document; asked anew for whoever begins to change it. */
export const draft = (id: string) =>
  queryOptions({
    queryKey: ["flows", id, "draft"],
    queryFn: async () => {
      const params = { path: { id } };
      const found = await asked(api.GET("/api/v1/flows/{id}/draft", { params }));
      return { ...found, flow: found.flow as unknown as Document };
    },
  });

/** The draft as a simple form; `null` where it has none. */
export const simple = (id: string) =>
  queryOptions({
    queryKey: ["flows", id, "simple"],
    queryFn: async () => {
      try {
        const params = { path: { id } };
        const found = await asked(api.GET("/api/v1/flows/{id}/simple", { params }));
        return { ...found, form: found.form as unknown as Form };
      } catch (error) {
        if (error instanceof Refused && error.code === "not_simple") return null;
        throw error;
      }
    },
  });

/** What is wrong with the draft as it is at `revision`. */
export const findings = (id: string, revision: number) =>
  queryOptions({
    queryKey: ["flows", id, "findings", revision],
    queryFn: () => asked(api.POST("/api/v1/flows/{id}/validate", { params: { path: { id } } })),
  });

/** The revision that was saved, or that somebody else saved another before. */
export async function savedOver(
  saved: Promise<{ revision: number }>,
): Promise<number | "conflict"> {
  try {
    return (await saved).revision;
  } catch (error) {
    if (error instanceof Refused && error.code === "revision") return "conflict";
    throw error;
  }
}

export const version = (id: string, version: number) =>
  queryOptions({
    queryKey: ["flows", id, "versions", version],
    // What was published never changes.
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const params = { path: { id, version } };
      const found = await asked(api.GET("/api/v1/flows/{id}/versions/{version}", { params }));
      return { ...found, flow: found.flow as unknown as Document };
    },
  });

/** What was published, the newest first. */
export const versions = (id: string) =>
  queryOptions({
    queryKey: ["flows", id, "versions"],
    queryFn: async () => {
      const params = { path: { id }, query: { limit: 100 } };
      const { items } = await asked(api.GET("/api/v1/flows/{id}/versions", { params }));
      return items.map((one) => ({ ...one, flow: one.flow as unknown as Document }));
    },
  });

export const numbers = queryOptions({
  queryKey: ["numbers"],
  queryFn: async () => (await asked(api.GET("/api/v1/numbers", { params: { query } }))).items,
});

export const calendars = queryOptions({
  queryKey: ["calendars"],
  queryFn: async () => (await asked(api.GET("/api/v1/calendars", { params: { query } }))).items,
});

/** Whether a calendar is open, now or at some moment. */
export const openness = (id: string, at?: string) =>
  queryOptions({
    queryKey: ["calendars", id, "state", at ?? "now"],
    queryFn: () => {
      const params = { path: { id }, query: at === undefined ? {} : { at } };
      return asked(api.GET("/api/v1/calendars/{id}/state", { params }));
    },
  });

export const prompts = queryOptions({
  queryKey: ["prompts"],
  queryFn: async () => (await asked(api.GET("/api/v1/prompts", { params: { query } }))).items,
});

export const voices = queryOptions({
  queryKey: ["voices"],
  staleTime: 300_000,
  queryFn: () => asked(api.GET("/api/v1/voices")),
});
