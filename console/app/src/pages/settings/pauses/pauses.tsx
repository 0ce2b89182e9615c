import { IconCoffee } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Detail } from "../parts/detail";
import { Group, NumberField, SwitchField, TextField } from "../parts/fields";
import { List } from "../parts/list";
import { OnOff } from "../parts/page";
import { resource, type Settings } from "../parts/resource";

const pauses = resource("/api/v1/pauses");

const EMPTY: Settings<"/api/v1/pauses"> = {
  name: "",
  paid: true,
  limit_min: null,
  disabled: false,
};

/** The reasons for which agents pause. */
export function Pauses() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={pauses}
      section="pauses"
      title={t("section.pauses")}
      text={t("pauses.text")}
      icon={<IconCoffee size={36} stroke={1.4} />}
      add={t("pauses.add")}
      nothing={{ title: t("pauses.none"), text: t("pauses.noneText") }}
      name={(pause) => pause.name}
      columns={[
        {
          name: t("pauses.limit"),
          of: ({ limit_min }) =>
            limit_min == null ? t("pauses.noLimit") : t("pauses.minutes", { count: limit_min }),
        },
        {
          name: t("pauses.paid"),
          of: ({ paid }) => (paid ? t("yes") : t("no")),
          narrow: true,
        },
        { name: t("state"), of: ({ disabled }) => <OnOff disabled={disabled} /> },
      ]}
    />
  );
}

export function Pause({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={pauses}
      section="pauses"
      id={id}
      list={t("section.pauses")}
      added={t("pauses.add")}
      name={(pause) => pause.name}
      empty={EMPTY}
      remove={() => <p>{t("pauses.remove")}</p>}
    >
      {(form) => (
        <Group title={t("pauses.about")} text={t("pauses.aboutText")}>
          <TextField of={form} at="name" label={t("name")} hint={t("pauses.nameHint")} autoFocus />
          <NumberField
            of={form}
            at="limit_min"
            label={t("pauses.limit")}
            hint={t("pauses.limitHint")}
            unit="min"
            placeholder={t("pauses.noLimit")}
            min={1}
            max={1440}
          />
          <SwitchField
            of={form}
            at="paid"
            label={t("pauses.paidLong")}
            hint={t("pauses.paidHint")}
          />
          <SwitchField of={form} at="disabled" not label={t("on")} hint={t("pauses.onHint")} />
        </Group>
      )}
    </Detail>
  );
}
