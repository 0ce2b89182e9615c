import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { Openness } from "./open";
import { calendars } from "./resource";

/** Whether a calendar is open at this moment, and until when. */
export function Now({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const { data } = useQuery({
    queryKey: [calendars.key, "state", id],
    staleTime: 30_000,
    queryFn: () => {
      const path = "/api/v1/calendars/{id}/state";
      return asked(api.GET(path, { params: { path: { id } } }));
    },
  });
  return data === undefined ? t("loading") : <Openness is={data} />;
}
