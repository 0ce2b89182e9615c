import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, NumberField, Row, SwitchField, TextField } from "../parts/fields";
import { type Form, type Part, part } from "../parts/form";
import { Check, Connect } from "./check";
import { Health } from "./health";
import { About, KindList } from "./kind";
import { LifeFields } from "./life";
import type { Mail } from "./mail";
import { body, type ChannelBody, channelsOf, QUIET } from "./resource";

const EMPTY: ChannelBody<Mail> = {
  name: "",
  kind: "email",
  service: "",
  disabled: false,
  webhook: null,
  transcripts_by: null,
  settings: {
    address: "",
    login: "password",
    protocol: "imap",
    receiving: { host: "", port: 993, security: "tls" },
    sending: { host: "", port: 465, security: "tls" },
    sending_login: true,
    keep_sent: true,
    quote: true,
    reopen_hours: 168,
    since_days: 1,
    life: QUIET,
  },
};

const emails = channelsOf<Mail>("email");

/** Mailboxes. */
export function Emails() {
  return <KindList kind="email" />;
}

export function Email({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={emails}
      section="email"
      id={id}
      list={t("section.email")}
      added={t("channels.add")}
      name={(channel) => channel.name}
      empty={EMPTY}
      body={body}
      remove={() => <p>{t("channels.remove")}</p>}
    >
      {(form, channel) => (
        <>
          {channel !== undefined && <Health channel={channel as never} />}
          <About form={form} nameHint={t("email.nameHint")} />
          <Mailbox form={form} id={channel?.id} />
          <Answers of={part(form, "settings")} />
          <Group title={t("email.signature")} text={t("email.signatureText")}>
            <Suspense fallback={<Skeleton height={200} />}>
              <SignatureEditor of={part(form, "settings")} />
            </Suspense>
          </Group>
          <LifeFields of={part(part(form, "settings"), "life")} />
        </>
      )}
    </Detail>
  );
}

const SignatureEditor = lazy(() => import("./editor"));

const LOGINS = ["password", "google", "microsoft"] as const;

function Mailbox({ form, id }: { form: Form<ChannelBody<Mail>>; id: string | undefined }) {
  const { t } = useTranslation("settings");
  const of = part(form, "settings");
  const byPassword = (of.value.login ?? "password") === "password";
  const choose = (login: string) =>
    of.set(
      login === "password"
        ? {
            login,
            receiving: EMPTY.settings.receiving ?? null,
            sending: EMPTY.settings.sending ?? null,
          }
        : { login, receiving: null, sending: null },
    );
  return (
    <Group title={t("email.mailbox")} text={t("email.mailboxText")}>
      <TextField
        of={of}
        at="address"
        label={t("email.address")}
        inputMode="email"
        placeholder="sac@empresa.com.br"
      />
      <ChoiceField
        of={{ ...of, set: ({ login }) => choose(login ?? "password") }}
        at="login"
        label={t("email.login")}
        options={LOGINS.map((value) => ({ value, label: t(`email.logins.${value}`) }))}
      />
      {byPassword && <ByPassword of={of} isKept={id !== undefined} />}
      {of.value.login === "microsoft" && (
        <TextField
          of={of}
          at="tenant"
          empty={null}
          label={t("email.tenant")}
          hint={t("email.tenantHint")}
        />
      )}
      {!byPassword && <Connect id={id} isChanged={form.isChanged} />}
      {(byPassword || id !== undefined) && <Check settings={of.value} id={id} />}
    </Group>
  );
}

function ByPassword({ of, isKept }: { of: Part<Mail>; isKept: boolean }) {
  const { t } = useTranslation("settings");
  const isImap = of.value.protocol !== "pop3";
  return (
    <>
      <Row>
        <TextField
          of={of}
          at="user"
          empty={null}
          label={t("email.user")}
          placeholder={of.value.address}
        />
        <TextField
          of={of}
          at="password"
          label={t("users.password")}
          placeholder={isKept ? "••••••••" : ""}
          secret
        />
      </Row>
      <ChoiceField
        of={{
          ...of,
          set: ({ protocol = "imap" }) =>
            of.set({
              protocol,
              receiving: {
                ...of.value.receiving,
                port: protocol === "pop3" ? 995 : 993,
                security: "tls",
              },
            } as Partial<Mail>),
        }}
        at="protocol"
        label={t("email.protocol")}
        options={[
          { value: "imap", label: "IMAP" },
          { value: "pop3", label: "POP3" },
        ]}
      />
      <Server of={of} at="receiving" label={t(isImap ? "email.imap" : "email.pop")} />
      <Server of={of} at="sending" label={t("email.smtp")} />
      <SwitchField of={of} at="sending_login" label={t("email.sendingLogin")} />
    </>
  );
}

const SECURITIES = ["tls", "starttls", "none"] as const;

type Place = { host: string; port: number; security: string };

function Server({ of, at, label }: { of: Part<Mail>; at: "receiving" | "sending"; label: string }) {
  const { t } = useTranslation("settings");
  const server: Part<Place> = {
    value: (of.value[at] ?? {}) as unknown as Place,
    set: (changes) => of.set({ [at]: { ...of.value[at], ...changes } } as unknown as Partial<Mail>),
    why: (field) => of.why(`${at}.${field}`) ?? (field === "host" ? of.why(at) : undefined),
  };
  return (
    <Row>
      <TextField of={server} at="host" label={label} placeholder="mail.empresa.com.br" />
      <NumberField of={server} at="port" label={t("email.port")} empty={0} min={1} max={65_535} />
      <ChoiceField
        of={server}
        at="security"
        label={t("email.security")}
        options={SECURITIES.map((value) => ({ value, label: t(`email.securities.${value}`) }))}
      />
    </Row>
  );
}

function Answers({ of }: { of: Part<Mail> }) {
  const { t } = useTranslation("settings");
  const isImap = of.value.protocol !== "pop3";
  return (
    <Group title={t("email.answers")} text={t("email.answersText")}>
      <TextField
        of={of}
        at="sender_name"
        empty={null}
        label={t("email.sender")}
        hint={t("email.senderHint")}
      />
      <SwitchField of={of} at="quote" label={t("email.quote")} />
      <SwitchField of={of} at="reply_to_all" label={t("email.toAll")} />
      {isImap ? (
        <SwitchField of={of} at="keep_sent" label={t("email.keepSent")} />
      ) : (
        <SwitchField of={of} at="delete_read" label={t("email.deleteRead")} />
      )}
      <SwitchField of={of} at="auto_replies_make_work" label={t("email.autoReplies")} />
      <SwitchField of={of} at="bounces_make_work" label={t("email.bounces")} />
      <Row>
        <NumberField
          of={of}
          at="reopen_hours"
          label={t("channels.reopen")}
          hint={t("channels.reopenHint")}
          unit="h"
          empty={0}
          min={0}
          max={720}
        />
        <NumberField
          of={of}
          at="since_days"
          label={t("email.since")}
          hint={t("email.sinceHint")}
          unit={t("recordings.unit")}
          empty={0}
          min={0}
          max={365}
        />
      </Row>
    </Group>
  );
}
