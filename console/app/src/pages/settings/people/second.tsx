import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { notice } from "../../../parts/notices";
import { Remove } from "../parts/remove";
import { people } from "./resource";

/** For whoever lost the telephone with the codes: a login by the password alone, until they set another. */
export function SecondFactor({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  return (
    <Remove
      name={name}
      title={t("second.title", { name })}
      label={t("second.reset")}
      what={<p>{t("second.text")}</p>}
      remove={() =>
        asked(api.DELETE("/api/v1/users/{id}/second-factor", { params: { path: { id } } }))
      }
      done={() => {
        notice(t("second.done"));
        return client.invalidateQueries({ queryKey: [people.key] });
      }}
    />
  );
}
