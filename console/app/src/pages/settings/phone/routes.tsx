import { IconRoute } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { trunks } from "../kept";
import { Detail } from "../parts/detail";
import {
  ChoiceField,
  Group,
  NumberField,
  Row,
  SwitchField,
  TextField,
  useOptions,
} from "../parts/fields";
import { List } from "../parts/list";
import { OnOff } from "../parts/page";
import { resource, type Settings } from "../parts/resource";
import { PhoneTabs } from "./tabs";

const routes = resource("/api/v1/outbound-routes");

const EMPTY: Settings<"/api/v1/outbound-routes"> = {
  name: "",
  trunk: "",
  prefix: "",
  priority: 10,
  weight: 100,
  caller_number: null,
  calls_max: null,
  calls_per_second_max: null,
  cost_per_minute: 0,
  disabled: false,
};

/** By which carrier which numbers are called. */
export function Routes() {
  const { t } = useTranslation("settings");
  const carriers = useOptions(trunks);
  return (
    <List
      resource={routes}
      section="routes"
      title={t("phone.title")}
      text={t("routes.text")}
      icon={<IconRoute size={36} stroke={1.4} />}
      add={t("routes.add")}
      below={<PhoneTabs />}
      nothing={{ title: t("routes.none"), text: t("routes.noneText") }}
      name={(route) => route.name}
      columns={[
        { name: t("routes.prefix"), of: ({ prefix }) => prefix || t("routes.all") },
        {
          name: t("routes.trunk"),
          of: ({ trunk }) => carriers.find(({ value }) => value === trunk)?.label,
        },
        { name: t("services.priority"), of: ({ priority }) => priority, narrow: true },
        { name: t("state"), of: ({ disabled }) => <OnOff disabled={disabled} />, narrow: true },
      ]}
    />
  );
}

export function Route({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const carriers = useOptions(trunks);
  return (
    <Detail
      resource={routes}
      section="routes"
      id={id}
      list={t("section.routes")}
      added={t("routes.add")}
      name={(route) => route.name}
      empty={EMPTY}
      remove={() => <p>{t("routes.remove")}</p>}
    >
      {(form) => (
        <>
          <Group title={t("routes.about")} text={t("routes.aboutText")}>
            <TextField of={form} at="name" label={t("name")} />
            <TextField
              of={form}
              at="prefix"
              label={t("routes.prefix")}
              hint={t("routes.prefixHint")}
              placeholder="+5511"
              inputMode="tel"
            />
            <ChoiceField
              of={form}
              at="trunk"
              empty=""
              label={t("routes.trunk")}
              options={carriers}
            />
            <SwitchField of={form} at="disabled" not label={t("on")} />
          </Group>
          <Group title={t("routes.order")} text={t("routes.orderText")}>
            <Row>
              <NumberField
                of={form}
                at="priority"
                label={t("services.priority")}
                empty={0}
                min={0}
                max={1000}
              />
              <NumberField
                of={form}
                at="weight"
                label={t("services.weight")}
                empty={0}
                min={0}
                max={1000}
              />
            </Row>
            <TextField
              of={form}
              at="caller_number"
              empty={null}
              label={t("trunks.caller")}
              inputMode="tel"
              placeholder={t("services.callerNone")}
            />
            <Row>
              <NumberField
                of={form}
                at="calls_max"
                label={t("trunks.callsMax")}
                placeholder={t("waiting.noMax")}
                min={1}
              />
              <NumberField
                of={form}
                at="cost_per_minute"
                label={t("routes.cost")}
                hint={t("routes.costHint")}
                empty={0}
                min={0}
              />
            </Row>
          </Group>
        </>
      )}
    </Detail>
  );
}
