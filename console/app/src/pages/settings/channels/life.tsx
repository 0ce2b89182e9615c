import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { flows } from "../kept";
import {
  ChoiceField,
  Group,
  NumberField,
  Row,
  SwitchField,
  TextField,
  useOptions,
} from "../parts/fields";
import { type Part, part } from "../parts/form";
import { Lines } from "../parts/lines";
import { Texts } from "./texts";

type Life = Schemas["LifeSettings"];

/** Something that is there or not, as a switch. */
function there<T>(of: Part<T>, at: keyof T & string, begin: unknown): Part<{ is: boolean }> {
  return {
    value: { is: of.value[at] != null },
    set: ({ is }) => of.set({ [at]: is ? begin : null } as unknown as Partial<T>),
    why: () => undefined,
  };
}

/** What a channel says and does by itself. */
export function LifeFields({ of }: { of: Part<Life> }) {
  const { t } = useTranslation("settings");
  const texts = (at: "greeting" | "absence" | "closing") => (
    <Texts
      label={t(`life.${at}`)}
      hint={t(`life.${at}Hint`)}
      value={of.value[at]}
      change={(value) => of.set({ [at]: value } as Partial<Life>)}
      wrong={of.why(at)}
    />
  );
  return (
    <>
      <Group title={t("life.messages")} text={t("life.messagesText")}>
        {texts("greeting")}
        {texts("absence")}
        {texts("closing")}
      </Group>
      <Waiting of={of} />
      <Bot of={of} />
    </>
  );
}

function Waiting({ of }: { of: Part<Life> }) {
  const { t } = useTranslation("settings");
  return (
    <Group title={t("life.waiting")} text={t("life.waitingText")}>
      <SwitchField
        of={there(of, "expiry", { close_minutes: 60, warn_minutes: 50 })}
        at="is"
        label={t("life.expiry")}
        hint={t("life.expiryHint")}
      />
      {of.value.expiry != null && (
        <Expiry of={part(of, "expiry") as Part<Schemas["ExpirySettings"]>} />
      )}
      <SwitchField
        of={there(of, "waiting", { every_minutes: 3, texts: [{}] })}
        at="is"
        label={t("life.wait")}
      />
      {of.value.waiting != null && (
        <Texted of={part(of, "waiting") as Part<Schemas["WaitingSettings"]>} />
      )}
      <SwitchField
        of={there(of, "position", { every_seconds: 60 })}
        at="is"
        label={t("life.position")}
      />
    </Group>
  );
}

function Expiry({ of }: { of: Part<Schemas["ExpirySettings"]> }) {
  const { t } = useTranslation("settings");
  return (
    <>
      <Row>
        <NumberField
          of={of}
          at="warn_minutes"
          label={t("life.warn")}
          unit="min"
          placeholder={t("life.noWarning")}
          min={1}
        />
        <NumberField
          of={of}
          at="close_minutes"
          label={t("life.close")}
          unit="min"
          empty={60}
          min={1}
        />
      </Row>
      <Texts
        label={t("life.warning")}
        value={of.value.warning}
        change={(warning) => of.set({ warning } as Partial<Schemas["ExpirySettings"]>)}
        wrong={of.why("warning")}
      />
      <Texts
        label={t("life.farewell")}
        value={of.value.farewell}
        change={(farewell) => of.set({ farewell } as Partial<Schemas["ExpirySettings"]>)}
        wrong={of.why("farewell")}
      />
    </>
  );
}

function Texted({ of }: { of: Part<Schemas["WaitingSettings"]> }) {
  const { t } = useTranslation("settings");
  return (
    <>
      <NumberField
        of={of}
        at="every_minutes"
        label={t("life.every")}
        unit="min"
        empty={1}
        min={1}
      />
      <Lines
        of={of}
        at="texts"
        label={t("waiting.messages")}
        add={t("waiting.addMessage")}
        blank={{}}
      >
        {(line, place) => (
          <Texts
            label={t("life.text", { count: place + 1 })}
            value={line.value}
            change={(value) => line.set(value ?? {})}
          />
        )}
      </Lines>
    </>
  );
}

function Bot({ of }: { of: Part<Life> }) {
  const { t } = useTranslation("settings");
  const known = useOptions(flows);
  const bot = part(of, "bot") as Part<Schemas["BotSettings"]>;
  return (
    <Group title={t("life.first")} text={t("life.firstText")}>
      <ChoiceField
        of={of}
        at="flow"
        label={t("life.flow")}
        hint={t("life.flowHint")}
        options={known}
        none={t("life.noFlow")}
      />
      <SwitchField
        of={there(of, "bot", { url: "https://", id: "", returns: true })}
        at="is"
        label={t("life.bot")}
        hint={t("life.botHint")}
      />
      {of.value.bot != null && (
        <>
          <TextField of={bot} at="url" label={t("life.botUrl")} inputMode="url" />
          <TextField of={bot} at="id" label={t("life.botId")} />
          <SwitchField
            of={bot}
            at="returns"
            label={t("life.returns")}
            hint={t("life.returnsHint")}
          />
        </>
      )}
    </Group>
  );
}
