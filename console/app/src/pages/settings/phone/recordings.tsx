import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { ChoiceField, Group, NumberField, useOptions } from "../parts/fields";
import type { Form, Part } from "../parts/form";
import { Lines } from "../parts/lines";
import { Single } from "../parts/single";
import { services } from "../services/resource";
import { PhoneTabs } from "./tabs";

type Rules = Schemas["RecordingRules"];

/** How recordings are kept, and for how long. */
export function Recordings() {
  const { t } = useTranslation("settings");
  return (
    <Single<Rules>
      title={t("phone.title")}
      text={t("recordings.text")}
      name="recording-rules"
      read={() => asked(api.GET("/api/v1/recording-rules", { params: {} }))}
      write={(body) => asked(api.PUT("/api/v1/recording-rules", { body }))}
      above={<PhoneTabs />}
    >
      {(form) => <Fields form={form} />}
    </Single>
  );
}

type Term = { service: string; days: number };

function Fields({ form }: { form: Form<Rules> }) {
  const { t } = useTranslation("settings");
  const known = useOptions(services);
  const terms: Part<{ terms: Term[] }> = {
    value: {
      terms: Object.entries(form.value.services ?? {}).map(([service, days]) => ({
        service,
        days,
      })),
    },
    set: ({ terms = [] }) =>
      form.set({ services: Object.fromEntries(terms.map(({ service, days }) => [service, days])) }),
    why: () => form.why("services"),
  };
  return (
    <Group title={t("recordings.about")} text={t("recordings.aboutText")}>
      <NumberField
        of={form}
        at="keep_days"
        label={t("recordings.days")}
        unit={t("recordings.unit")}
        placeholder={t("recordings.forever")}
        min={1}
        max={36_500}
      />
      <Lines
        of={terms}
        at="terms"
        label={t("recordings.services")}
        add={t("recordings.addService")}
        blank={{ service: "", days: 90 }}
      >
        {(line) => (
          <>
            <ChoiceField
              of={line}
              at="service"
              empty=""
              label={t("waiting.toService")}
              options={known}
            />
            <NumberField
              of={line}
              at="days"
              label={t("recordings.days")}
              unit={t("recordings.unit")}
              empty={1}
              min={1}
            />
          </>
        )}
      </Lines>
      <ChoiceField
        of={form}
        at="format"
        label={t("recordings.format")}
        hint={t("recordings.formatHint")}
        options={[
          { value: "flac", label: t("recordings.flac") },
          { value: "opus", label: t("recordings.opus") },
        ]}
      />
    </Group>
  );
}
