import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { Group, NumberField, Row, SwitchField, TagsField, TextField } from "../parts/fields";
import { type Form, type Part, part } from "../parts/form";
import { Single } from "../parts/single";
import { PhoneTabs } from "./tabs";

type Rules = Schemas["OutboundRules"];

/** Whom the company's people may call, how often, and what those see. */
export function Calling() {
  const { t } = useTranslation("settings");
  return (
    <Single<Rules>
      title={t("phone.title")}
      text={t("calling.text")}
      name="outbound-rules"
      read={() => asked(api.GET("/api/v1/outbound-rules", { params: {} }))}
      write={(body) => asked(api.PUT("/api/v1/outbound-rules", { body }))}
      above={<PhoneTabs />}
    >
      {(form) => <Fields form={form} />}
    </Single>
  );
}

function Fields({ form }: { form: Form<Rules> }) {
  const { t } = useTranslation("settings");
  return (
    <>
      <Group title={t("calling.shown")} text={t("calling.shownText")}>
        <Row>
          <TextField
            of={form}
            at="caller_number"
            empty={null}
            label={t("calling.caller")}
            inputMode="tel"
            placeholder={t("calling.ofTrunk")}
          />
          <TextField
            of={form}
            at="area_code"
            empty={null}
            label={t("calling.area")}
            placeholder="11"
            inputMode="numeric"
          />
        </Row>
      </Group>
      <Group title={t("calling.whom")} text={t("calling.whomText")}>
        <TagsField
          of={form}
          at="allowed"
          label={t("calling.allowed")}
          hint={t("calling.allowedHint")}
          placeholder="+54"
        />
        <TagsField
          of={form}
          at="refused"
          label={t("calling.refused")}
          hint={t("calling.refusedHint")}
          placeholder="+5511900"
        />
        <SwitchField
          of={{
            value: { night: form.value.night != null },
            set: ({ night }: { night?: boolean }) =>
              form.set({ night: night ? { from: "22:00", until: "06:00", allowed: [] } : null }),
            why: () => undefined,
          }}
          at="night"
          label={t("calling.night")}
          hint={t("calling.nightHint")}
        />
        {form.value.night != null && <Night of={part(form, "night")} />}
      </Group>
      <Limits
        title={t("calling.agent")}
        text={t("calling.agentText")}
        of={part(form, "agent_limits")}
      />
      <Limits
        title={t("calling.company")}
        text={t("calling.companyText")}
        of={part(form, "company_limits")}
      />
    </>
  );
}

function Night({ of }: { of: Part<Schemas["OutboundNight"]> }) {
  const { t } = useTranslation("settings");
  return (
    <>
      <Row>
        <TextField of={of} at="from" label={t("calendars.from")} placeholder="22:00" />
        <TextField of={of} at="until" label={t("calendars.to")} placeholder="06:00" />
      </Row>
      <TagsField of={of} at="allowed" label={t("calling.nightAllowed")} placeholder="+5511" />
    </>
  );
}

function Limits({
  title,
  text,
  of,
}: {
  title: string;
  text: string;
  of: Part<Schemas["OutboundLimits"]>;
}) {
  const { t } = useTranslation("settings");
  const none = t("waiting.noMax");
  return (
    <Group title={title} text={text}>
      <Row>
        <NumberField
          of={of}
          at="calls_at_once"
          label={t("calling.atOnce")}
          placeholder={none}
          min={1}
        />
        <NumberField
          of={of}
          at="calls_per_hour"
          label={t("calling.perHour")}
          placeholder={none}
          min={1}
        />
      </Row>
      <Row>
        <NumberField
          of={of}
          at="calls_per_day"
          label={t("calling.perDay")}
          placeholder={none}
          min={1}
        />
        <NumberField
          of={of}
          at="cost_per_day"
          label={t("calling.costPerDay")}
          placeholder={none}
          times={1000}
          min={1}
        />
      </Row>
    </Group>
  );
}
