// How often is asked, and what becomes of a session that has ended.

import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { Refused } from "./client";
import { session } from "./questions";

function ended(error: unknown): void {
  // Who is asked for their password or a code once more, and gets it wrong, is still here.
  if (error instanceof Refused && error.code === "unauthorized") {
    questions.setQueryData(session.queryKey, null);
  }
}

export const questions: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: ended }),
  mutationCache: new MutationCache({ onError: ended }),
  defaultOptions: {
    queries: {
      // What is so is told over the socket: nothing is asked again only because time has passed.
      staleTime: 15_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 4 && error instanceof Refused && error.isPassing,
    },
    // Who pressed a button wants to know at once that nobody was reached.
    mutations: { networkMode: "always", retry: false },
  },
});
