import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { notice, useWhy } from "../../../parts/notices";
import { Deliveries } from "../parts/deliveries";
import { Detail } from "../parts/detail";
import { Group, NumberField, SwitchField, TextField } from "../parts/fields";
import { part } from "../parts/form";
import { Copied, showOnce } from "../parts/once";
import parts from "../parts/parts.module.css";
import { Health } from "./health";
import { About, KindList } from "./kind";
import { LifeFields } from "./life";
import { body, type ChannelBody, channelsOf, QUIET } from "./resource";
import { useShowSecret } from "./secret";

type Settings = Schemas["GenericSettings"];

const EMPTY: ChannelBody<Settings> = {
  name: "",
  kind: "generic",
  service: "",
  disabled: false,
  webhook: null,
  transcripts_by: null,
  settings: { reopen_hours: 24, customer_waits: false, life: QUIET },
};

const generic = channelsOf<Settings>("generic");

/** Systems with an API: an ERP, a CRM, trouble tickets. */
export function Generics() {
  return <KindList kind="generic" />;
}

export function Generic({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const show = useShowSecret();
  return (
    <Detail
      resource={generic}
      section="generic"
      id={id}
      list={t("section.generic")}
      added={t("channels.add")}
      name={(channel) => channel.name}
      empty={EMPTY}
      body={body}
      made={({ webhook_secret }) => show(webhook_secret)}
      remove={() => <p>{t("channels.remove")}</p>}
    >
      {(form, channel) => (
        <>
          {channel !== undefined && <Health channel={channel} />}
          <About form={form} nameHint={t("generic.nameHint")} />
          {channel !== undefined && <Keys id={channel.id} />}
          <Group title={t("generic.webhook")} text={t("generic.webhookText")}>
            <TextField
              of={form}
              at="webhook"
              empty={null}
              label={t("generic.address")}
              hint={t("generic.addressHint")}
              placeholder="https://erp.exemplo.com.br/ramal"
              inputMode="url"
            />
            {channel !== undefined && <NewSecret id={channel.id} />}
            <NumberField
              of={part(form, "settings")}
              at="reopen_hours"
              label={t("channels.reopen")}
              hint={t("channels.reopenHint")}
              unit="h"
              empty={0}
              min={0}
              max={720}
            />
            <SwitchField
              of={part(form, "settings")}
              at="customer_waits"
              label={t("generic.waits")}
              hint={t("generic.waitsHint")}
            />
          </Group>
          <LifeFields of={part(part(form, "settings"), "life")} />
          {channel !== undefined && <Deliveries of="channels" id={channel.id} />}
        </>
      )}
    </Detail>
  );
}

/** The keys with which the other system calls, and the addresses that it calls. */
function Keys({ id }: { id: string }) {
  const { t, i18n } = useTranslation("settings");
  const client = useQueryClient();
  const why = useWhy();
  const queryKey = ["channel-keys", id];
  const params = { path: { id } };
  const { data } = useQuery({
    queryKey,
    queryFn: async () => (await asked(api.GET("/api/v1/channels/{id}/keys", { params }))).items,
  });
  const kept = data?.filter(({ revoked_ms }) => revoked_ms == null) ?? [];
  const making = useMutation({
    mutationFn: () => {
      const name = `API KEY ${(data?.length ?? 0) + 1}`;
      return asked(api.POST("/api/v1/channels/{id}/keys", { params, body: { name } }));
    },
    onSuccess: ({ name, key }) => {
      showOnce({
        title: t("keys.made"),
        text: t("keys.madeText"),
        values: [{ label: name, value: key }],
      });
      return client.invalidateQueries({ queryKey });
    },
    onError: (error) => notice(why(error)),
  });
  const revoking = useMutation({
    mutationFn: (key: string) =>
      asked(api.DELETE("/api/v1/api-keys/{id}", { params: { path: { id: key } } })),
    onSuccess: () => client.invalidateQueries({ queryKey }),
    onError: (error) => notice(why(error)),
  });
  const format = new Intl.DateTimeFormat(i18n.language, { dateStyle: "short" });
  return (
    <Group title={t("generic.keys")} text={t("generic.keysText")}>
      <ul className={parts.things}>
        {kept.map((key) => (
          <li key={key.id}>
            <code>{key.prefix}…</code>
            <span>
              {key.last_used_ms == null
                ? t("keys.unused")
                : t("keys.used", { when: format.format(key.last_used_ms) })}
            </span>
            <Button
              variant="subtle"
              color="red"
              size="compact-sm"
              onClick={() => revoking.mutate(key.id)}
            >
              {t("keys.revoke")}
            </Button>
          </li>
        ))}
      </ul>
      <div>
        <Button variant="default" loading={making.isPending} onClick={() => making.mutate()}>
          {t("generic.make")}
        </Button>
      </div>
      <Copied
        label={t("generic.receive")}
        value={`${location.origin}/api/v1/channels/${id}/receive_hook`}
      />
      <p className={parts.said}>
        <a href="/api/docs" target="_blank" rel="noreferrer">
          {t("generic.docs")}
        </a>
      </p>
    </Group>
  );
}

function NewSecret({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const show = useShowSecret();
  const why = useWhy();
  const making = useMutation({
    mutationFn: () =>
      asked(api.POST("/api/v1/channels/{id}/webhook-secret", { params: { path: { id } } })),
    onSuccess: ({ webhook_secret }) => show(webhook_secret),
    onError: (error) => notice(why(error)),
  });
  return (
    <div>
      <Button variant="default" loading={making.isPending} onClick={() => making.mutate()}>
        {t("generic.newSecret")}
      </Button>
    </div>
  );
}
