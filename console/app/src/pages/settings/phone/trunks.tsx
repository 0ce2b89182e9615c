import { IconRouter } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { trunks } from "../kept";
import { Detail } from "../parts/detail";
import { Group, SwitchField, TextField } from "../parts/fields";
import { List } from "../parts/list";
import type { Settings } from "../parts/resource";
import { CarrierFields } from "./carrier";
import { PhoneTabs } from "./tabs";
import { TrunkFacts, TrunkState } from "./trunk-state";

/** How often the registration is looked at: as fast as somebody who waits for it looks. */
const EVERY_MS = 5_000;

const EMPTY: Settings<"/api/v1/trunks"> = {
  name: "",
  disabled: false,
  settings: {
    host: null,
    transport: null,
    outbound_proxy: null,
    addresses: [],
    registration: null,
    ping: { every_s: 30, lost_max: 2 },
    caller_number: null,
    calls_max: null,
    calls_per_second_max: null,
    trusted: false,
    dial: { style: "plus", add: "", strip: "", operator: null },
  },
};

/** The carriers. */
export function Trunks() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={trunks}
      section="trunks"
      every={EVERY_MS}
      title={t("phone.title")}
      text={t("trunks.text")}
      icon={<IconRouter size={36} stroke={1.4} />}
      add={t("trunks.add")}
      below={<PhoneTabs />}
      nothing={{ title: t("trunks.none"), text: t("trunks.noneText") }}
      name={(trunk) => trunk.name}
      columns={[
        { name: t("trunks.host"), of: ({ settings }) => settings.host ?? "–", narrow: true },
        {
          name: t("trunks.caller"),
          of: ({ settings }) => settings.caller_number ?? "–",
          narrow: true,
        },
        { name: t("state"), of: (trunk) => <TrunkState trunk={trunk} /> },
      ]}
    />
  );
}

export function Trunk({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={trunks}
      section="trunks"
      id={id}
      every={EVERY_MS}
      list={t("section.trunks")}
      added={t("trunks.add")}
      name={(trunk) => trunk.name}
      empty={EMPTY}
      body={({ name, disabled, settings }) => ({ name, disabled, settings })}
      remove={() => <p>{t("trunks.remove")}</p>}
    >
      {(form, trunk) => (
        <>
          {trunk !== undefined && (
            <Group title={t("state")} text={t("trunks.stateText")}>
              <TrunkFacts trunk={trunk} />
            </Group>
          )}
          <Group title={t("trunks.about")}>
            <TextField of={form} at="name" label={t("name")} hint={t("trunks.nameHint")} />
            <SwitchField of={form} at="disabled" not label={t("on")} hint={t("trunks.onHint")} />
          </Group>
          <CarrierFields form={form} hasCredentials={trunk?.has_credentials === true} />
        </>
      )}
    </Detail>
  );
}
