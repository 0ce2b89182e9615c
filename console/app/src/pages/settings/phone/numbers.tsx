import { IconPhone } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { lackOfNumber } from "../channels/lack";
import { Ready } from "../channels/ready";
import { flows, numbers, trunks } from "../kept";
import { Detail } from "../parts/detail";
import {
  ChoiceField,
  Group,
  NumberField,
  SwitchField,
  TextField,
  useOptions,
} from "../parts/fields";
import { List } from "../parts/list";
import { all, type Settings } from "../parts/resource";
import { PhoneTabs } from "./tabs";

const EMPTY: Settings<"/api/v1/numbers"> = {
  number: "",
  name: "",
  flow: null,
  trunk: null,
  priority: 0,
  disabled: false,
};

/** The numbers that customers call. */
export function Numbers() {
  const { t } = useTranslation("settings");
  const { data: known } = useQuery(all(flows));
  return (
    <List
      resource={numbers}
      section="numbers"
      title={t("phone.title")}
      text={t("numbers.text")}
      icon={<IconPhone size={36} stroke={1.4} />}
      add={t("numbers.add")}
      below={<PhoneTabs />}
      nothing={{ title: t("numbers.none"), text: t("numbers.noneText") }}
      first={t("numbers.number")}
      name={(number) => number.number}
      words={(number) => number.name}
      columns={[
        { name: t("numbers.called"), of: ({ name }) => name },
        {
          name: t("numbers.flow"),
          of: ({ flow }) => known?.find(({ id }) => id === flow)?.name ?? "–",
          narrow: true,
        },
        { name: t("state"), of: (one) => <Ready lack={lackOfNumber(one, known)} /> },
      ]}
    />
  );
}

export function NumberPage({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const known = useOptions(flows);
  const carriers = useOptions(trunks);
  return (
    <Detail
      resource={numbers}
      section="numbers"
      id={id}
      list={t("phone.title")}
      added={t("numbers.add")}
      name={(number) => number.number}
      empty={EMPTY}
      remove={() => <p>{t("numbers.remove")}</p>}
    >
      {(form) => (
        <Group title={t("numbers.about")} text={t("numbers.aboutText")}>
          <TextField
            of={form}
            at="number"
            label={t("numbers.number")}
            hint={t("numbers.numberHint")}
            inputMode="tel"
            placeholder="+551130001000"
          />
          <TextField
            of={form}
            at="name"
            label={t("numbers.called")}
            hint={t("numbers.calledHint")}
          />
          <ChoiceField
            of={form}
            at="flow"
            label={t("numbers.flow")}
            hint={t("numbers.flowHint")}
            options={known}
            none={t("numbers.noFlow")}
          />
          <ChoiceField
            of={form}
            at="trunk"
            label={t("numbers.trunk")}
            options={carriers}
            none={t("numbers.anyTrunk")}
          />
          <NumberField
            of={form}
            at="priority"
            label={t("services.priority")}
            hint={t("numbers.priorityHint")}
            empty={0}
            min={-1000}
          />
          <SwitchField of={form} at="disabled" not label={t("on")} hint={t("numbers.onHint")} />
        </Group>
      )}
    </Detail>
  );
}
