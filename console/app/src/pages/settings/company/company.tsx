import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { session } from "../../../api/questions";
import { LANGUAGES } from "../../../words/words";
import { ChoiceField, Group, TextField } from "../parts/fields";
import { Single } from "../parts/single";
import { zones } from "../parts/zones";
import { companies, useChoose, useCompany } from "./which";

type Company = Schemas["Company"];

/** The company itself; who administers the installation chooses here for which they act. */
export function CompanyPage() {
  const { data: me } = useQuery(session);
  const id = useCompany();
  if (id === undefined) return null;
  return <Settings key={id} id={id} mayChoose={me?.company == null} />;
}

function Settings({ id, mayChoose }: { id: string; mayChoose: boolean }) {
  const { t } = useTranslation("settings");
  const params = { path: { id } };
  return (
    <Single<Company>
      title={t("section.company")}
      text={t("company.text")}
      name={`company ${id}`}
      read={() => asked(api.GET("/api/v1/companies/{id}", { params }))}
      write={({ name, language, time_zone, disabled }) => {
        const body = { name, language, time_zone, disabled } as Schemas["CompanySettings"];
        return asked(api.PUT("/api/v1/companies/{id}", { params, body }));
      }}
      above={mayChoose && <Choice id={id} />}
    >
      {(form) => (
        <Group title={t("company.about")} text={t("company.aboutText")}>
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
        </Group>
      )}
    </Single>
  );
}

/** Of which company everything is shown from now on. */
function Choice({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const { data } = useQuery(companies);
  const choose = useChoose();
  return (
    <Group title={t("company.which")} text={t("company.whichText")}>
      <ChoiceField
        of={{
          value: { company: id },
          set: ({ company }: { company?: string }) => choose(company ?? id),
          why: () => undefined,
        }}
        at="company"
        label={t("section.company")}
        options={(data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      />
    </Group>
  );
}
