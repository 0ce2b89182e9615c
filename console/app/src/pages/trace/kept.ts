// Where filters with a name are kept: by the program, for whoever is logged in, wherever they log in.

import { queryOptions } from "@tanstack/react-query";
import { api, asked } from "../../api/client";
import { keep, parse, type Saved } from "./saved";

/** Under which name the program keeps them. */
const params = { path: { name: "trace-filters" } };

/** Those of this person, by their names. */
export const saved = (user: string) =>
  queryOptions({
    queryKey: ["saved", user],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const { value } = await asked(api.GET("/api/v1/session/settings/{name}", { params }));
      const kept = parse(value);
      const left = parse(leftHere(user));
      if (left.length === 0) return kept;
      const all = kept.reduce(keep, left);
      await put(all);
      localStorage.removeItem(`${HERE}.${user}`);
      return all;
    },
  });

/** Has the program keep them. */
export async function put(all: readonly Saved[]): Promise<void> {
  const body = { value: all as unknown as Record<string, never> };
  await asked(api.PUT("/api/v1/session/settings/{name}", { params, body }));
}

/** Where browsers kept them before the program did. */
const HERE = "ramal.trace.saved";

function leftHere(user: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(`${HERE}.${user}`) ?? "null");
  } catch {
    return null;
  }
}
