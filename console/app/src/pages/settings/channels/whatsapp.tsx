import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { fields, text } from "../../../api/open";
import { useWhy } from "../../../parts/notices";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, NumberField, SwitchField, TextField } from "../parts/fields";
import { type Part, part } from "../parts/form";
import { Copied } from "../parts/once";
import { State } from "../parts/page";
import { ACCOUNTS, PROVIDERS, type Provider } from "./accounts";
import css from "./channels.module.css";
import { Health } from "./health";
import { About, KindList } from "./kind";
import { LifeFields } from "./life";
import { body, type ChannelBody, channelsOf, QUIET } from "./resource";

type Settings = Schemas["WhatsAppSettings"];

const EMPTY: ChannelBody<Settings> = {
  name: "",
  kind: "whatsapp",
  service: "",
  disabled: false,
  webhook: null,
  transcripts_by: null,
  settings: {
    account: { provider: "cloud" } as unknown as NonNullable<Settings["account"]>,
    prices: [],
    templates: true,
    template_opens: true,
    reopen_hours: 24,
    life: QUIET,
  },
};

const whatsapp = channelsOf<Settings>("whatsapp");

/** WhatsApp numbers. */
export function WhatsApps() {
  return <KindList kind="whatsapp" />;
}

export function WhatsApp({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={whatsapp}
      section="whatsapp"
      id={id}
      list={t("section.whatsapp")}
      added={t("channels.add")}
      name={(channel) => channel.name}
      empty={EMPTY}
      body={body}
      remove={() => <p>{t("channels.remove")}</p>}
    >
      {(form, channel) => {
        const settings = part(form, "settings");
        return (
          <>
            {channel !== undefined && <Health channel={channel} />}
            <About form={form} nameHint={t("whatsapp.nameHint")} />
            <Account of={settings} isKept={channel !== undefined} />
            {channel !== undefined && <Connection channel={channel} />}
            <Group title={t("whatsapp.starts")} text={t("whatsapp.startsText")}>
              <SwitchField
                of={settings}
                at="templates"
                label={t("whatsapp.templates")}
                hint={t("whatsapp.templatesHint")}
              />
              <SwitchField
                of={settings}
                at="template_opens"
                label={t("whatsapp.opens")}
                hint={t("whatsapp.opensHint")}
              />
              <NumberField
                of={settings}
                at="reopen_hours"
                label={t("channels.reopen")}
                hint={t("channels.reopenHint")}
                unit="h"
                empty={0}
                min={0}
                max={720}
              />
            </Group>
            <LifeFields of={part(settings, "life")} />
          </>
        );
      }}
    </Detail>
  );
}

/** Who carries the number, and what they must be told. */
function Account({ of, isKept }: { of: Part<Settings>; isKept: boolean }) {
  const { t } = useTranslation("settings");
  const account = of.value.account as Record<string, unknown> | undefined;
  const provider = PROVIDERS.find((one) => one === account?.provider) ?? "cloud";
  const put = (next: Record<string, unknown>) =>
    of.set({ account: next as unknown as NonNullable<Settings["account"]> });
  const each: Part<Record<string, string>> = {
    value: Object.fromEntries(ACCOUNTS[provider].map(({ name }) => [name, text(account?.[name])])),
    set: (changes) => {
      const next = { ...account, ...changes };
      put(Object.fromEntries(Object.entries(next).filter(([, value]) => value !== "")));
    },
    why: (field) => of.why(`account.${field}`),
  };
  const wrong = of.why("account");
  return (
    <Group
      title={t("whatsapp.account")}
      text={t(isKept ? "whatsapp.accountKept" : "whatsapp.accountText")}
    >
      <ChoiceField
        of={{
          value: { provider },
          set: ({ provider }: { provider?: Provider }) => put({ provider }),
          why: () => undefined,
        }}
        at="provider"
        label={t("whatsapp.provider")}
        options={PROVIDERS.map((value) => ({ value, label: t(`whatsapp.providers.${value}`) }))}
      />
      {ACCOUNTS[provider].map(({ name, isSecret }) => (
        <TextField
          key={`${provider} ${name}`}
          of={each}
          at={name}
          label={t(`whatsapp.fields.${name}`)}
          secret={isSecret === true}
          placeholder={isSecret && isKept ? "••••••••" : ""}
        />
      ))}
      {wrong !== undefined && <p className={css.soft}>{wrong}</p>}
    </Group>
  );
}

/** Where the provider tells us, and whether it stands with the account. */
function Connection({ channel }: { channel: Schemas["Channel"] }) {
  const { t } = useTranslation("settings");
  const why = useWhy();
  const checking = useMutation({
    mutationFn: () =>
      asked(api.POST("/api/v1/channels/{id}/check", { params: { path: { id: channel.id } } })),
  });
  const { data, error } = checking;
  return (
    <Group title={t("whatsapp.connection")} text={t("whatsapp.connectionText")}>
      {channel.receive_path != null && (
        <Copied label={t("whatsapp.receive")} value={`${location.origin}${channel.receive_path}`} />
      )}
      <div>
        <Button variant="default" loading={checking.isPending} onClick={() => checking.mutate()}>
          {t("whatsapp.check")}
        </Button>
      </div>
      {error !== null && <p role="alert">{why(error)}</p>}
      {data !== undefined && (
        <div className={css.report} data-ok={data.ok} role="status">
          <ul className={css.steps}>
            {data.items.map((item) => (
              <li key={item.check}>
                <State is={item.ok ? "good" : "bad"}>
                  {t(`whatsapp.checks.${item.check as "account"}`)}
                </State>
                {item.error != null && <p>{item.error}</p>}
                {item.findings.map((finding) => (
                  <p key={text(fields(finding).fact)}>
                    {text(fields(finding).fact)}: {text(fields(finding).value)}
                  </p>
                ))}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Group>
  );
}
