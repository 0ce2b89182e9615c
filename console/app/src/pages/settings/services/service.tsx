import { useTranslation } from "react-i18next";
import { Refused } from "../../../api/client";
import { MakeHours } from "../calendars/make";
import { calendars } from "../calendars/resource";
import { flows, numbers, prompts, users } from "../kept";
import { Detail } from "../parts/detail";
import {
  ChoiceField,
  Group,
  ManyField,
  NumberField,
  Row,
  SwitchField,
  TextField,
  useOptions,
} from "../parts/fields";
import { type Form, type Part, part } from "../parts/form";
import { Dispositions } from "./dispositions";
import { EMPTY, type ServiceSettings, services, staffed } from "./resource";
import { isNameless, tree } from "./tree";
import { Waiting } from "./waiting";

type Props = { form: Form<ServiceSettings> };

/** A service: who takes its work, when, in which order, and what customers hear meanwhile. */
export function Service({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={staffed}
      section="services"
      id={id}
      list={t("section.services")}
      added={t("services.add")}
      name={(service) => service.name}
      empty={EMPTY}
      check={({ rules }) => {
        if (!isNameless(tree(rules?.dispositions ?? []))) return undefined;
        const [field, message] = ["rules.dispositions", t("dispositions.nameless")];
        return new Refused(422, { code: "nameless", field, message });
      }}
      remove={() => <p>{t("services.remove")}</p>}
    >
      {(form) => (
        <>
          <About form={form} />
          <Targets of={part(part(form, "rules"), "targets")} />
          <Order form={form} />
          <Waiting form={form} />
          <Calls form={form} />
          <Closing form={form} />
          <Transfers form={form} id={id} />
        </>
      )}
    </Detail>
  );
}

function About({ form }: Props) {
  const { t } = useTranslation("settings");
  return (
    <Group title={t("services.about")} text={t("services.aboutText")}>
      <TextField of={form} at="name" label={t("name")} hint={t("services.nameHint")} />
      <ManyField
        of={form}
        at="agents"
        label={t("services.agents")}
        hint={t("services.agentsHint")}
        options={useOptions(users)}
        none={t("services.noAgents")}
      />
      <ChoiceField
        of={form}
        at="calendar"
        label={t("services.hours")}
        hint={t("services.hoursHint")}
        options={useOptions(calendars)}
        none={t("services.always")}
      />
      <MakeHours made={(calendar) => form.set({ calendar })} />
      <SwitchField of={form} at="disabled" not label={t("on")} hint={t("services.onHint")} />
    </Group>
  );
}

type Rules = NonNullable<ServiceSettings["rules"]>;

function Targets({ of }: { of: Part<NonNullable<Rules["targets"]>> }) {
  const { t } = useTranslation("settings");
  return (
    <Group title={t("services.targets")} text={t("services.targetsText")}>
      <Row>
        <NumberField
          of={of}
          at="answer_s"
          label={t("services.answerIn")}
          unit="s"
          placeholder={t("services.noTarget")}
          min={1}
        />
        <NumberField
          of={of}
          at="abandon_s"
          label={t("services.abandon")}
          unit="s"
          placeholder={t("services.atOnce")}
          min={0}
        />
      </Row>
      <NumberField
        of={of}
        at="message_s"
        label={t("services.message")}
        hint={t("services.messageHint")}
        unit="s"
        placeholder={t("services.noTarget")}
        min={1}
      />
    </Group>
  );
}

const ROUTINGS = [
  "longest_idle",
  "round_robin",
  "least_occupied",
  "fewest_handled",
  "ring_all",
] as const;

const PREFERRED = ["nobody", "owner", "last", "owner_or_last"] as const;

function Order({ form }: Props) {
  const { t } = useTranslation("settings");
  const rules = part(form, "rules");
  const preferred = part(rules, "preferred");
  const hasFirst = preferred.value.agent !== "nobody";
  return (
    <Group title={t("services.order")} text={t("services.orderText")}>
      <ChoiceField
        of={rules}
        at="routing"
        label={t("services.routing")}
        hint={t(`routingHint.${(rules.value.routing ?? "longest_idle") as "ring_all"}`)}
        options={ROUTINGS.map((value) => ({ value, label: t(`routing.${value}`) }))}
      />
      <ChoiceField
        of={preferred}
        at="agent"
        label={t("services.preferred")}
        options={PREFERRED.map((value) => ({ value, label: t(`preferred.${value}`) }))}
      />
      {hasFirst && (
        <NumberField
          of={preferred}
          at="wait_s"
          label={t("services.preferredWait")}
          unit="s"
          empty={0}
          min={0}
        />
      )}
      {hasFirst && <SwitchField of={preferred} at="even_away" label={t("services.evenAway")} />}
      <Row>
        <NumberField
          of={rules}
          at="priority"
          label={t("services.priority")}
          hint={t("services.priorityHint")}
          empty={0}
          min={-1000}
        />
        <NumberField
          of={rules}
          at="weight"
          label={t("services.weight")}
          hint={t("services.weightHint")}
          empty={1}
          min={1}
          max={1000}
        />
      </Row>
    </Group>
  );
}

const RECORDINGS = ["off", "always", "on_demand"] as const;

function Calls({ form }: Props) {
  const { t } = useTranslation("settings");
  const calls = part(form, "calls");
  const recordings = useOptions(prompts);
  return (
    <Group title={t("services.calls")} text={t("services.callsText")}>
      <Row>
        <NumberField of={form} at="ring_s" label={t("services.ring")} unit="s" min={5} max={120} />
        <NumberField
          of={form}
          at="wrap_up_s"
          label={t("services.wrapUp")}
          unit="s"
          empty={0}
          min={0}
          max={3600}
        />
      </Row>
      <ChoiceField
        of={calls}
        at="recording"
        label={t("services.recording")}
        options={RECORDINGS.map((value) => ({ value, label: t(`recording.${value}`) }))}
      />
      {calls.value.recording !== "off" && (
        <ChoiceField
          of={calls}
          at="recording_notice"
          label={t("services.notice")}
          hint={t("services.noticeHint")}
          options={recordings}
          none={t("services.noNotice")}
        />
      )}
      <ChoiceField
        of={calls}
        at="caller_number"
        label={t("services.caller")}
        options={useOptions(numbers)}
        none={t("services.callerNone")}
      />
      <ChoiceField
        of={calls}
        at="survey"
        label={t("services.survey")}
        hint={t("services.surveyHint")}
        options={useOptions(flows)}
        none={t("services.noSurvey")}
      />
    </Group>
  );
}

function Closing({ form }: Props) {
  const { t } = useTranslation("settings");
  const rules = part(form, "rules");
  return (
    <Group title={t("services.closing")} text={t("services.closingText")}>
      <Dispositions
        tree={rules.value.dispositions ?? []}
        change={(dispositions) => rules.set({ dispositions })}
        wrong={rules.why("dispositions")}
      />
      <SwitchField
        of={rules}
        at="disposition_mandatory"
        label={t("services.mandatory")}
        hint={t("services.mandatoryHint")}
      />
      <NumberField
        of={rules}
        at="reopen_wait_s"
        label={t("services.reopen")}
        hint={t("services.reopenHint")}
        unit="min"
        times={60}
        empty={0}
        min={0}
      />
    </Group>
  );
}

function Transfers({ form, id }: Props & { id: string }) {
  const { t } = useTranslation("settings");
  const transfers = part(part(form, "rules"), "transfers");
  const others = useOptions(services).filter(({ value }) => value !== id);
  const isLimited = transfers.value.services != null;
  const limit = {
    value: { everywhere: !isLimited },
    set: ({ everywhere }: { everywhere?: boolean }) =>
      transfers.set({ services: everywhere ? null : [] }),
    why: () => undefined,
  };
  return (
    <Group title={t("services.transfers")} text={t("services.transfersText")}>
      <SwitchField of={transfers} at="agents" label={t("services.toAgents")} />
      <SwitchField of={limit} at="everywhere" label={t("services.toAll")} />
      {isLimited && (
        <ManyField
          of={transfers as Part<{ services?: string[] }>}
          at="services"
          label={t("services.toServices")}
          options={others}
          none={t("services.toNone")}
        />
      )}
    </Group>
  );
}
