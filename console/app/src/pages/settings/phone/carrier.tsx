import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import {
  ChoiceField,
  Group,
  NumberField,
  Row,
  SwitchField,
  TagsField,
  TextField,
} from "../parts/fields";
import { type Form, type Part, part } from "../parts/form";
import type { Settings } from "../parts/resource";

type TrunkSettings = Settings<"/api/v1/trunks">;

type Props = { form: Form<TrunkSettings>; hasCredentials: boolean };

const TRANSPORTS = ["udp", "tcp", "tls"].map((value) => ({ value, label: value.toUpperCase() }));

/** Where a carrier is, how we show ourselves, and how it wants to be dialled. */
export function CarrierFields({ form, hasCredentials }: Props) {
  const { t } = useTranslation("settings");
  const of = part(form, "settings");
  return (
    <>
      <Group title={t("trunks.where")} text={t("trunks.whereText")}>
        <Row>
          <TextField
            of={of}
            at="host"
            empty={null}
            label={t("trunks.host")}
            placeholder="sip.operadora.com.br"
          />
          <ChoiceField
            of={of}
            at="transport"
            label={t("trunks.transport")}
            options={TRANSPORTS}
            none={t("trunks.byDns")}
          />
        </Row>
        <TagsField
          of={of}
          at="addresses"
          label={t("trunks.addresses")}
          hint={t("trunks.addressesHint")}
          placeholder="203.0.113.0/28"
        />
        <TextField
          of={of}
          at="outbound_proxy"
          empty={null}
          label={t("trunks.proxy")}
          placeholder="sip:proxy.operadora.com.br"
        />
        <SwitchField
          of={of}
          at="trusted"
          label={t("trunks.trusted")}
          hint={t("trunks.trustedHint")}
        />
      </Group>
      <Registration form={form} of={of} hasCredentials={hasCredentials} />
      <Dialling of={of} />
    </>
  );
}

type Of = Part<Schemas["TrunkSettings"]>;

function Registration({ form, of, hasCredentials }: Props & { of: Of }) {
  const { t } = useTranslation("settings");
  const credentials = part(form, "credentials");
  const registers = of.value.registration != null;
  return (
    <Group
      title={t("trunks.login")}
      text={t(hasCredentials ? "trunks.loginKept" : "trunks.loginText")}
    >
      <Row>
        <TextField of={credentials} at="username" label={t("trunks.user")} />
        <TextField of={credentials} at="password" label={t("users.password")} secret />
      </Row>
      <SwitchField
        of={{
          value: { registers },
          set: ({ registers }: { registers?: boolean }) =>
            of.set({
              registration: registers ? { address_of_record: "sip:", registrar: "sip:" } : null,
            }),
          why: () => undefined,
        }}
        at="registers"
        label={t("trunks.registers")}
        hint={t("trunks.registersHint")}
      />
      {registers && <Registrar of={part(of, "registration")} />}
      <SwitchField
        of={{
          value: { asks: of.value.ping != null },
          set: ({ asks }: { asks?: boolean }) =>
            of.set({ ping: asks ? { every_s: 30, lost_max: 2 } : null }),
          why: () => undefined,
        }}
        at="asks"
        label={t("trunks.ping")}
        hint={t("trunks.pingHint")}
      />
    </Group>
  );
}

function Registrar({ of }: { of: Part<Schemas["Registration"]> }) {
  const { t } = useTranslation("settings");
  return (
    <>
      <TextField
        of={of}
        at="address_of_record"
        label={t("trunks.account")}
        hint="sip:1130001000@operadora.com.br"
      />
      <Row>
        <TextField
          of={of}
          at="registrar"
          label={t("trunks.registrar")}
          placeholder="sip:operadora.com.br"
        />
        <NumberField
          of={of}
          at="expires_s"
          label={t("trunks.expires")}
          unit="s"
          placeholder="3600 s"
          min={60}
        />
      </Row>
    </>
  );
}

const STYLES = ["plus", "digits", "national"] as const;

function Dialling({ of }: { of: Of }) {
  const { t } = useTranslation("settings");
  const dial = part(of, "dial");
  return (
    <Group title={t("trunks.dialling")} text={t("trunks.diallingText")}>
      <TextField
        of={of}
        at="caller_number"
        empty={null}
        label={t("trunks.caller")}
        hint={t("trunks.callerHint")}
        inputMode="tel"
        placeholder="+551130001000"
      />
      <ChoiceField
        of={dial}
        at="style"
        label={t("trunks.style")}
        options={STYLES.map((value) => ({ value, label: t(`trunks.styles.${value}`) }))}
      />
      <Row>
        {dial.value.style === "national" && (
          <TextField
            of={dial}
            at="operator"
            empty={null}
            label={t("trunks.operator")}
            placeholder="15"
          />
        )}
        <TextField of={dial} at="strip" label={t("trunks.strip")} />
        <TextField of={dial} at="add" label={t("trunks.put")} />
      </Row>
      <Row>
        <NumberField
          of={of}
          at="calls_max"
          label={t("trunks.callsMax")}
          placeholder="100"
          min={1}
        />
        <NumberField
          of={of}
          at="calls_per_second_max"
          label={t("trunks.perSecond")}
          placeholder="20"
          min={1}
        />
      </Row>
    </Group>
  );
}
