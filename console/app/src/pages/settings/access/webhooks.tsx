import { Button } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { notice, useWhy } from "../../../parts/notices";
import { useShowSecret } from "../channels/secret";
import { channels } from "../kept";
import { Deliveries } from "../parts/deliveries";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, ManyField, SwitchField, TextField, useOptions } from "../parts/fields";
import { List } from "../parts/list";
import { OnOff, State } from "../parts/page";
import { resource, type Settings } from "../parts/resource";
import { services } from "../services/resource";

const webhooks = resource("/api/v1/webhooks");

type Webhook = Schemas["Webhook"];
type WebhookSettings = Settings<"/api/v1/webhooks">;

const EMPTY: WebhookSettings = {
  name: "",
  url: "https://",
  events: [],
  service: null,
  channel: null,
  disabled: false,
};

const EVENTS = [
  "attendance.opened",
  "attendance.queued",
  "attendance.assigned",
  "attendance.transferred",
  "attendance.closed",
  "attendance.reopened",
  "message.received",
  "message.created",
  "message.updated",
  "message.deleted",
  "message.status",
  "tabulation.created",
  "survey.answered",
] as const;

/** Other systems that are told what happens. */
export function Webhooks() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={webhooks}
      section="webhooks"
      title={t("section.webhooks")}
      text={t("webhooks.text")}
      icon={<IconWebhook size={36} stroke={1.4} />}
      add={t("webhooks.add")}
      nothing={{ title: t("webhooks.none"), text: t("webhooks.noneText") }}
      name={(webhook) => webhook.name}
      words={(webhook) => webhook.url}
      columns={[
        { name: t("webhooks.url"), of: ({ url }) => url, narrow: true },
        {
          name: t("webhooks.events"),
          of: ({ events }) => (events.length === 0 ? t("webhooks.all") : events.length),
          narrow: true,
        },
        {
          name: t("state"),
          of: ({ disabled, gone_ms }) =>
            gone_ms == null ? (
              <OnOff disabled={disabled} />
            ) : (
              <State is="bad">{t("webhooks.gone")}</State>
            ),
        },
      ]}
    />
  );
}

function body({ name, url, events, service = null, channel = null, disabled }: Webhook) {
  return { name, url, events, service, channel, disabled };
}

export function WebhookPage({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const show = useShowSecret();
  const served = useOptions(services);
  const ways = useOptions(channels);
  return (
    <Detail
      resource={webhooks}
      section="webhooks"
      id={id}
      list={t("section.webhooks")}
      added={t("webhooks.add")}
      name={(webhook) => webhook.name}
      empty={EMPTY}
      body={body}
      made={({ webhook_secret }) => show(webhook_secret)}
      actions={(webhook) => <Ping id={webhook.id} />}
      remove={() => <p>{t("webhooks.remove")}</p>}
    >
      {(form, webhook) => (
        <>
          <Group title={t("webhooks.about")} text={t("webhooks.aboutText")}>
            <TextField of={form} at="name" label={t("name")} hint={t("webhooks.nameHint")} />
            <TextField of={form} at="url" label={t("webhooks.url")} inputMode="url" />
            <SwitchField of={form} at="disabled" not label={t("on")} hint={t("webhooks.onHint")} />
            {webhook !== undefined && <Secret id={webhook.id} />}
          </Group>
          <Group title={t("webhooks.what")} text={t("webhooks.whatText")}>
            <ManyField
              of={form}
              at="events"
              label={t("webhooks.events")}
              options={EVENTS.map((value) => ({ value, label: value }))}
              none={t("webhooks.all")}
            />
            <ChoiceField
              of={form}
              at="service"
              label={t("waiting.toService")}
              options={served}
              none={t("replies.everywhere")}
            />
            <ChoiceField
              of={form}
              at="channel"
              label={t("channels.channel")}
              options={ways}
              none={t("webhooks.allChannels")}
            />
          </Group>
          {webhook !== undefined && <Deliveries of="webhooks" id={webhook.id} />}
        </>
      )}
    </Detail>
  );
}

/** Tells it something that did not happen, to see whether it hears. */
function Ping({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const why = useWhy();
  const pinging = useMutation({
    mutationFn: () => asked(api.POST("/api/v1/webhooks/{id}/ping", { params: { path: { id } } })),
    onSuccess: ({ taken, status, took_ms, answer }) =>
      notice(
        taken
          ? t("webhooks.heard", { ms: took_ms })
          : t("webhooks.unheard", { why: status == null ? answer : `${status} ${answer}` }),
      ),
    onError: (error) => notice(why(error)),
  });
  return (
    <Button variant="default" loading={pinging.isPending} onClick={() => pinging.mutate()}>
      {t("webhooks.ping")}
    </Button>
  );
}

function Secret({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const show = useShowSecret();
  const why = useWhy();
  const making = useMutation({
    mutationFn: () => asked(api.POST("/api/v1/webhooks/{id}/secret", { params: { path: { id } } })),
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
