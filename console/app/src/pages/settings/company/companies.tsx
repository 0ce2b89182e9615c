import { Button } from "@mantine/core";
import { IconBuildingCommunity } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { notice } from "../../../parts/notices";
import { LANGUAGES } from "../../../words/words";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, SwitchField, TextField } from "../parts/fields";
import { List } from "../parts/list";
import { OnOff, State } from "../parts/page";
import { resource, type Settings } from "../parts/resource";
import { zones } from "../parts/zones";
import { useChoose, useCompany } from "./which";

const companies = resource("/api/v1/companies");

type CompanySettings = Settings<"/api/v1/companies">;

/** The companies of the installation, for who administers it. */
export function Companies() {
  const { t } = useTranslation("settings");
  const current = useCompany();
  return (
    <List
      resource={companies}
      section="companies"
      title={t("section.companies")}
      text={t("companies.text")}
      icon={<IconBuildingCommunity size={36} stroke={1.4} />}
      add={t("companies.add")}
      nothing={{ title: t("companies.none"), text: t("companies.noneText") }}
      name={(company) => company.name}
      columns={[
        { name: t("calendars.zone"), of: ({ time_zone }) => time_zone, narrow: true },
        { name: t("state"), of: ({ disabled }) => <OnOff disabled={disabled} /> },
        {
          name: t("companies.current"),
          of: ({ id }) => id === current && <State is="good">{t("companies.current")}</State>,
        },
      ]}
    />
  );
}

const EMPTY: CompanySettings = {
  name: "",
  language: "pt-BR",
  time_zone: "America/Sao_Paulo",
  disabled: false,
};

export function OneCompany({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const current = useCompany();
  const choose = useChoose();
  return (
    <Detail
      resource={companies}
      section="companies"
      id={id}
      list={t("section.companies")}
      added={t("companies.add")}
      name={(company) => company.name}
      empty={EMPTY}
      actions={(company) =>
        company.id !== current && (
          <Button
            variant="default"
            onClick={() => {
              choose(company.id);
              notice(t("companies.chosen", { name: company.name }));
            }}
          >
            {t("companies.choose")}
          </Button>
        )
      }
    >
      {(form) => (
        <Group title={t("company.about")} text={t("companies.aboutText")}>
          <TextField of={form} at="name" label={t("name")} />
          <ChoiceField
            of={form}
            at="time_zone"
            label={t("calendars.zone")}
            options={zones(form.value.time_zone ?? "America/Sao_Paulo")}
          />
          <ChoiceField
            of={form}
            at="language"
            label={t("users.locale")}
            hint={t("company.languageHint")}
            options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          />
          <SwitchField of={form} at="disabled" not label={t("on")} hint={t("companies.onHint")} />
        </Group>
      )}
    </Detail>
  );
}
