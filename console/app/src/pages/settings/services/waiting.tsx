import { useTranslation } from "react-i18next";
import { prompts } from "../kept";
import { ChoiceField, Group, NumberField, Row, SwitchField, useOptions } from "../parts/fields";
import { type Form, type Part, part } from "../parts/form";
import { Lines } from "../parts/lines";
import { type ServiceSettings, services } from "./resource";

/** What happens to those who wait: what they hear, for how long, and what when it takes too long. */
export function Waiting({ form }: { form: Form<ServiceSettings> }) {
  return (
    <>
      <Heard form={form} />
      <TooLong form={form} />
    </>
  );
}

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#"];

function Heard({ form }: { form: Form<ServiceSettings> }) {
  const { t } = useTranslation("settings");
  const calls = part(form, "calls");
  const spoken = useOptions(prompts);
  return (
    <Group title={t("waiting.title")} text={t("waiting.text")}>
      <ChoiceField
        of={form}
        at="music_prompt"
        label={t("waiting.music")}
        options={spoken}
        none={t("waiting.ourMusic")}
      />
      <Lines
        of={form}
        at="announcements"
        label={t("waiting.messages")}
        hint={t("waiting.messagesHint")}
        add={t("waiting.addMessage")}
        blank={{ prompt: "", after_s: 30, every_s: 60 }}
      >
        {(line) => (
          <>
            <ChoiceField of={line} at="prompt" label={t("waiting.prompt")} options={spoken} />
            <NumberField
              of={line}
              at="after_s"
              label={t("waiting.after")}
              unit="s"
              empty={0}
              min={0}
            />
            <NumberField
              of={line}
              at="every_s"
              label={t("waiting.every")}
              unit="s"
              placeholder={t("waiting.once")}
              min={5}
            />
          </>
        )}
      </Lines>
      <SwitchField of={form} at="say_position" label={t("waiting.position")} />
      <SwitchField of={calls} at="say_wait" label={t("waiting.expected")} />
    </Group>
  );
}

type Rule = NonNullable<NonNullable<ServiceSettings["rules"]>["overflow"]>[number];

// biome-ignore lint/suspicious/noThenProperty: so the program calls it, and nobody awaits it.
const OVERFLOW: Rule = { after_s: 60, then: "callback" };

const DEEDS = ["relax_skills", "service", "callback", "close"] as const;

function Overflow({ line }: { line: Part<Rule> }) {
  const { t } = useTranslation("settings");
  const others = useOptions(services);
  const isByLength = line.value.length != null;
  return (
    <>
      <ChoiceField
        of={{
          value: { when: isByLength ? "length" : "wait" },
          set: ({ when }: { when?: string }) =>
            line.set(
              when === "length" ? { after_s: null, length: 10 } : { after_s: 60, length: null },
            ),
          why: () => undefined,
        }}
        at="when"
        label={t("waiting.when")}
        options={[
          { value: "wait", label: t("waiting.afterWait") },
          { value: "length", label: t("waiting.whenMany") },
        ]}
      />
      {isByLength ? (
        <NumberField of={line} at="length" label={t("waiting.people")} min={1} />
      ) : (
        <NumberField of={line} at="after_s" label={t("waiting.time")} unit="s" min={0} />
      )}
      <ChoiceField
        of={{ ...line, set: (changes) => line.set({ service: null, ...changes }) }}
        at="then"
        label={t("waiting.deed")}
        options={DEEDS.map((value) => ({ value, label: t(`deed.${value}`) }))}
      />
      {line.value.then === "service" && (
        <ChoiceField of={line} at="service" label={t("waiting.toService")} options={others} />
      )}
    </>
  );
}

function TooLong({ form }: { form: Form<ServiceSettings> }) {
  const { t } = useTranslation("settings");
  const rules = part(form, "rules");
  const callback = part(rules, "callback");
  return (
    <Group title={t("waiting.long")} text={t("waiting.longText")}>
      <Row>
        <NumberField
          of={form}
          at="wait_limit_s"
          label={t("waiting.limit")}
          unit="s"
          min={1}
          max={86_400}
        />
        <NumberField
          of={form}
          at="waiting_max"
          label={t("waiting.max")}
          placeholder={t("waiting.noMax")}
          min={1}
          max={10_000}
        />
      </Row>
      <ChoiceField
        of={form}
        at="unanswered_prompt"
        label={t("waiting.unanswered")}
        options={useOptions(prompts)}
        none={t("waiting.ourMessage")}
      />
      <Lines
        of={rules}
        at="overflow"
        label={t("waiting.overflow")}
        hint={t("waiting.overflowHint")}
        add={t("waiting.addOverflow")}
        blank={OVERFLOW}
      >
        {(line) => <Overflow line={line} />}
      </Lines>
      <Lines
        of={rules}
        at="relax"
        label={t("waiting.relax")}
        hint={t("waiting.relaxHint")}
        add={t("waiting.addRelax")}
        blank={{ after_s: 60, by: 10 }}
      >
        {(line) => (
          <>
            <NumberField of={line} at="after_s" label={t("waiting.afterWait")} unit="s" min={0} />
            <NumberField of={line} at="by" label={t("waiting.by")} min={1} max={255} />
          </>
        )}
      </Lines>
      <ChoiceField
        of={part(form, "calls")}
        at="callback_key"
        label={t("waiting.callbackKey")}
        hint={t("waiting.callbackHint")}
        options={KEYS.map((value) => ({ value, label: t("waiting.key", { key: value }) }))}
        none={t("waiting.noKey")}
      />
      <Row>
        <NumberField
          of={callback}
          at="attempts"
          label={t("waiting.attempts")}
          empty={1}
          min={1}
          max={20}
        />
        <NumberField
          of={callback}
          at="retry_s"
          label={t("waiting.retry")}
          unit="min"
          times={60}
          empty={60}
          min={1}
        />
      </Row>
    </Group>
  );
}
