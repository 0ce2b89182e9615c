// What the program keeps a list of: all of them are asked for, made, changed and removed in the same way.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, asked } from "../../../api/client";
import type { paths } from "../../../api/schema";

type Json<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : never;

type Get<P extends keyof paths> = paths[P]["get"] extends { responses: { 200: infer R } }
  ? Json<R>
  : never;

type Post<P extends keyof paths> = paths[P]["post"] extends {
  requestBody: { content: { "application/json": infer Body } };
}
  ? Body
  : never;

type Made<P extends keyof paths> = paths[P]["post"] extends { responses: { 201: infer R } }
  ? Json<R>
  : never;

/** One of a list. */
export type Item<P extends keyof paths> =
  Get<P> extends { items: (infer One)[] } ? One & { id: string } : never;

/** What can be set of it. */
export type Settings<P extends keyof paths> = Post<P>;

export type Page<One> = { items: One[]; next?: string | null };

export type Resource<One extends { id: string }, Body, New extends { id: string } = One> = {
  /** By which it is asked anew. */
  readonly key: string;
  page(after?: string): Promise<Page<One>>;
  read(id: string): Promise<One>;
  create(body: Body): Promise<New>;
  change(id: string, body: Body): Promise<One>;
  remove(id: string): Promise<unknown>;
};

/** The client, for addresses that are put together. */
type Call = (path: string, init: object) => Promise<{ data?: unknown; response: Response }>;
const { GET, POST, PUT, DELETE } = api as unknown as Record<
  "GET" | "POST" | "PUT" | "DELETE",
  Call
>;

/** As many as are shown before more are asked for. */
const PAGE = 100;

export function resource<P extends keyof paths & `/api/v1/${string}`>(
  path: P,
): Resource<Item<P>, Settings<P>, Made<P> extends { id: string } ? Made<P> : Item<P>> {
  const one = (id: string) => ({ params: { path: { id } } });
  return {
    key: path.slice("/api/v1/".length),
    page: (after) => {
      const query = { limit: PAGE, ...(after === undefined ? {} : { after }) };
      return asked(GET(path, { params: { query } })) as Promise<Page<Item<P>>>;
    },
    read: (id) => asked(GET(`${path}/{id}`, one(id))) as Promise<Item<P>>,
    create: (body) => asked(POST(path, { body })) as Promise<never>,
    change: (id, body) => asked(PUT(`${path}/{id}`, { ...one(id), body })) as Promise<Item<P>>,
    remove: (id) => asked(DELETE(`${path}/{id}`, one(id))),
  };
}

/** Anything of which there is a list. */
export type Listed<One> = {
  readonly key: string;
  /** Which part of all that is under the key. */
  readonly only?: string;
  page(after?: string): Promise<Page<One>>;
};

/** A list, page by page. */
export function listed<One>(of: Listed<One>) {
  return infiniteQueryOptions({
    queryKey: [of.key, "pages", of.only ?? ""],
    queryFn: ({ pageParam }) => of.page(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<One>) => last.next ?? undefined,
  });
}

/** All of a list, to choose from. */
export function all<One>(of: Listed<One>) {
  return queryOptions({
    queryKey: [of.key, "all", of.only ?? ""],
    staleTime: 60_000,
    queryFn: async () => {
      const found: One[] = [];
      let after: string | undefined;
      do {
        const page = await of.page(after);
        found.push(...page.items);
        after = page.next ?? undefined;
      } while (after !== undefined);
      return found;
    },
  });
}

export function one<One extends { id: string }>(
  of: { readonly key: string; read(id: string): Promise<One> },
  id: string,
) {
  return queryOptions({
    queryKey: [of.key, "one", id],
    queryFn: () => of.read(id),
    enabled: id !== NEW,
  });
}

/** The address of what is not there yet. */
export const NEW = "new";
