// For which company one acts: one's own, or the one that an administrator of the installation has chosen.

import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { actFor, api, asked, namedCompany } from "../../../api/client";
import { COMPANY_KEPT, session } from "../../../api/questions";

export const companies = queryOptions({
  queryKey: ["companies"],
  queryFn: async () => (await asked(api.GET("/api/v1/companies", { params: {} }))).items,
});

/** Its id; nothing until that is known. */
export function useCompany(): string | undefined {
  const { data: me } = useQuery(session);
  const { data: chosen } = useQuery({
    queryKey: ["company-chosen"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => new URLSearchParams(namedCompany()).get("company") ?? "",
  });
  return me?.company ?? (chosen === "" ? undefined : chosen);
}

/** Chooses of which company everything is shown from now on. */
export function useChoose(): (company: string) => void {
  const client = useQueryClient();
  return (company) => {
    actFor(company);
    localStorage.setItem(COMPANY_KEPT, company);
    client.setQueryData(["company-chosen"], company);
    client.removeQueries({
      predicate: ({ queryKey: [first] }) =>
        first !== "session" && first !== "companies" && first !== "company-chosen",
    });
  };
}
