import { IconDeviceLandlinePhone } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { devices, users } from "../kept";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, SwitchField, TextField, useOptions } from "../parts/fields";
import { List } from "../parts/list";
import { showOnce } from "../parts/once";
import { OnOff } from "../parts/page";
import type { Settings } from "../parts/resource";

const EMPTY: Settings<"/api/v1/devices"> = {
  username: "",
  display_name: "",
  extension: null,
  number: null,
  user: null,
  disabled: false,
};

/** Shows with what a telephone registers, this one time. */
export function useShowDevice(): (made: Schemas["DeviceCreated"]) => void {
  const { t } = useTranslation("settings");
  return ({ username, password }) =>
    showOnce({
      title: t("devices.made"),
      text: t("devices.madeText"),
      values: [
        { label: t("devices.username"), value: username },
        { label: t("devices.password"), value: password },
        { label: t("devices.server"), value: location.hostname },
      ],
    });
}

/** The telephones of the company's people. */
export function Devices() {
  const { t } = useTranslation("settings");
  const people = useOptions(users);
  const name = (id?: string | null) => people.find(({ value }) => value === id)?.label;
  return (
    <List
      resource={devices}
      section="devices"
      title={t("section.devices")}
      text={t("devices.text")}
      icon={<IconDeviceLandlinePhone size={36} stroke={1.4} />}
      add={t("devices.add")}
      nothing={{ title: t("devices.none"), text: t("devices.noneText") }}
      name={(device) => device.display_name || device.username}
      words={(device) => `${device.username} ${device.extension ?? ""} ${name(device.user) ?? ""}`}
      columns={[
        { name: t("devices.extension"), of: ({ extension, number }) => extension ?? number ?? "–" },
        { name: t("devices.user"), of: ({ user }) => name(user) ?? "–" },
        { name: t("devices.username"), of: ({ username }) => username, narrow: true },
        { name: t("state"), of: ({ disabled }) => <OnOff disabled={disabled} />, narrow: true },
      ]}
    />
  );
}

export function Device({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const show = useShowDevice();
  const people = useOptions(users);
  return (
    <Detail
      resource={devices}
      section="devices"
      id={id}
      list={t("section.devices")}
      added={t("devices.add")}
      name={(device) => device.display_name || device.username}
      empty={EMPTY}
      made={show}
      remove={() => <p>{t("devices.remove")}</p>}
    >
      {(form, device) => (
        <>
          <Group title={t("devices.about")} text={t("devices.aboutText")}>
            <ChoiceField
              of={form}
              at="user"
              label={t("devices.user")}
              options={people}
              none={t("devices.nobody")}
            />
            <TextField
              of={form}
              at="extension"
              empty={null}
              label={t("devices.extension")}
              hint={t("devices.extensionHint")}
              inputMode="numeric"
            />
            <TextField
              of={form}
              at="display_name"
              label={t("devices.shown")}
              hint={t("devices.shownHint")}
            />
            <SwitchField of={form} at="disabled" not label={t("on")} hint={t("devices.onHint")} />
          </Group>
          <Group title={t("devices.registration")} text={t("devices.registrationText")}>
            <TextField of={form} at="username" label={t("devices.username")} mono />
            {device !== undefined && (
              <TextField
                of={form}
                at="password"
                empty={null}
                label={t("devices.newPassword")}
                hint={t("devices.passwordHint")}
                secret
              />
            )}
            <TextField
              of={form}
              at="number"
              empty={null}
              label={t("devices.number")}
              hint={t("devices.numberHint")}
              inputMode="tel"
            />
          </Group>
        </>
      )}
    </Detail>
  );
}
