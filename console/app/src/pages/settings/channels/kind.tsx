import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { MediumIcon } from "../../../parts/medium";
import { ChoiceField, Group, SwitchField, TextField, useOptions } from "../parts/fields";
import type { Part } from "../parts/form";
import { List } from "../parts/list";
import { services } from "../services/resource";
import { channelsOf, type Kind } from "./resource";
import { ChannelState } from "./state";

/** The channels of one kind. */
export function KindList({ kind }: { kind: Kind }) {
  const { t } = useTranslation("settings");
  const served = useOptions(services);
  return (
    <List
      resource={channelsOf<Schemas["ChannelSettings"]>(kind)}
      section={kind}
      title={t(`section.${kind}`)}
      text={t(`channels.about.${kind}`)}
      icon={<MediumIcon kind={kind} size={36} />}
      add={t("channels.add")}
      nothing={{ title: t("channels.noneOf"), text: t(`channels.first.${kind}`) }}
      name={(channel) => channel.name}
      columns={[
        {
          name: t("channels.service"),
          of: ({ service }) => served.find(({ value }) => value === service)?.label,
        },
        { name: t("state"), of: (channel) => <ChannelState channel={channel} /> },
      ]}
    />
  );
}

type Common = { name: string; service: string; disabled?: boolean };

/** What every channel has. */
export function About<T extends Common>({ form, nameHint }: { form: Part<T>; nameHint: string }) {
  const { t } = useTranslation("settings");
  const of = form as unknown as Part<Common>;
  return (
    <Group title={t("channels.channel")} text={t("channels.channelText")}>
      <TextField of={of} at="name" label={t("name")} hint={nameHint} />
      <ChoiceField
        of={of}
        at="service"
        empty=""
        label={t("channels.service")}
        hint={t("channels.serviceHint")}
        options={useOptions(services)}
      />
      <SwitchField of={of} at="disabled" not label={t("on")} hint={t("channels.onHint")} />
    </Group>
  );
}
