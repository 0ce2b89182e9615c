import { IconUsersGroup } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { calendars } from "../calendars/resource";
import { useOptions } from "../parts/fields";
import { List } from "../parts/list";
import { OnOff } from "../parts/page";
import { services } from "./resource";

/** What customers choose: each is a queue with its rules. */
export function Services() {
  const { t } = useTranslation("settings");
  const hours = useOptions(calendars);
  const label = (id?: string | null) => hours.find(({ value }) => value === id)?.label;
  return (
    <List
      resource={services}
      section="services"
      title={t("section.services")}
      text={t("services.text")}
      icon={<IconUsersGroup size={36} stroke={1.4} />}
      add={t("services.add")}
      nothing={{ title: t("services.none"), text: t("services.noneText") }}
      name={(service) => service.name}
      columns={[
        {
          name: t("services.hours"),
          of: ({ calendar }) => (calendar == null ? t("services.always") : label(calendar)),
        },
        {
          name: t("services.answer"),
          of: ({ rules }) =>
            rules?.targets?.answer_s == null
              ? "–"
              : t("seconds", { count: rules.targets.answer_s }),
          narrow: true,
        },
        {
          name: t("services.routing"),
          of: ({ rules }) => t(`routing.${(rules?.routing ?? "longest_idle") as "ring_all"}`),
          narrow: true,
        },
        { name: t("state"), of: ({ disabled }) => <OnOff disabled={disabled} /> },
      ]}
    />
  );
}
