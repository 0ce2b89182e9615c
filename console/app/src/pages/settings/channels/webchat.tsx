import { Button, ColorInput, CopyButton } from "@mantine/core";
import { IconMessageCircle } from "@tabler/icons-react";
import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { fields, text } from "../../../api/open";
import { Detail } from "../parts/detail";
import {
  ChoiceField,
  Group,
  ManyField,
  NumberField,
  Row,
  TagsField,
  TextField,
  useOptions,
} from "../parts/fields";
import { type Part, part } from "../parts/form";
import { showOnce } from "../parts/once";
import { services } from "../services/resource";
import css from "./channels.module.css";
import { Health } from "./health";
import { About, KindList } from "./kind";
import { LifeFields } from "./life";
import { body, type ChannelBody, channelsOf, QUIET } from "./resource";
import { Texts } from "./texts";

/** How a web chat looks and what it asks; its description leaves the shape open. */
type Settings = {
  title?: string | null;
  colour?: string;
  theme?: string;
  position?: string;
  language?: string;
  origins?: string[];
  greeting?: Record<string, never> | null;
  form?: AskForm | null;
  reopen_minutes?: number;
  life?: Schemas["LifeSettings"];
};

type AskForm = { name: string; email: string; phone: string; services: string[]; consent?: null };

const EMPTY: ChannelBody<Settings> = {
  name: "",
  kind: "webchat",
  service: "",
  disabled: false,
  webhook: null,
  transcripts_by: null,
  settings: {
    colour: "#0f766e",
    theme: "auto",
    position: "right",
    language: "auto",
    origins: [],
    form: { name: "must", email: "ask", phone: "no", services: [], consent: null },
    reopen_minutes: 60,
    life: QUIET,
  },
};

const webchats = channelsOf<Settings>("webchat");

/** Chats on the company's pages. */
export function Webchats() {
  return <KindList kind="webchat" />;
}

export function Webchat({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={webchats}
      section="webchat"
      id={id}
      list={t("section.webchat")}
      added={t("channels.add")}
      name={(channel) => channel.name}
      empty={EMPTY}
      body={body}
      made={({ identity_secret }) => {
        if (identity_secret == null) return;
        showOnce({
          title: t("webchat.identity"),
          text: t("webchat.identityText"),
          values: [{ label: t("webchat.identityLabel"), value: identity_secret }],
        });
      }}
      remove={() => <p>{t("channels.remove")}</p>}
    >
      {(form, channel) => {
        const settings = part(form, "settings");
        return (
          <>
            {channel !== undefined && <Health channel={channel as unknown as Schemas["Channel"]} />}
            {channel?.widget_path != null && <Snippet path={channel.widget_path} />}
            <About form={form} nameHint={t("webchat.nameHint")} />
            <Look of={settings} name={form.value.name} />
            <Asked of={settings} />
            <LifeFields of={part(settings, "life")} />
          </>
        );
      }}
    </Detail>
  );
}

/** The one line for the company's page. */
function Snippet({ path }: { path: string }) {
  const { t } = useTranslation("settings");
  const code = `<script async src="${location.origin}${path}"></script>`;
  return (
    <Group title={t("webchat.snippet")} text={t("webchat.snippetText")}>
      <code className={css.code}>{code}</code>
      <div>
        <CopyButton value={code}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {t(copied ? "once.copied" : "webchat.copy")}
            </Button>
          )}
        </CopyButton>
      </div>
    </Group>
  );
}

const THEMES = ["auto", "light", "dark"] as const;
const POSITIONS = ["right", "left"] as const;
const SWATCHES = ["#0f766e", "#1d4ed8", "#7c3aed", "#be185d", "#b45309", "#15803d", "#334155"];

function Look({ of, name }: { of: Part<Settings>; name: string }) {
  const { t } = useTranslation("settings");
  return (
    <Group title={t("webchat.look")} text={t("webchat.lookText")}>
      <TextField of={of} at="title" empty={null} label={t("webchat.title")} placeholder={name} />
      <Row>
        <ColorInput
          label={t("webchat.colour")}
          value={of.value.colour ?? ""}
          swatches={SWATCHES}
          error={of.why("colour")}
          withEyeDropper={false}
          onChange={(colour) => of.set({ colour })}
        />
        <ChoiceField
          of={of}
          at="theme"
          label={t("webchat.theme")}
          options={THEMES.map((value) => ({ value, label: t(`webchat.themes.${value}`) }))}
        />
        <ChoiceField
          of={of}
          at="position"
          label={t("webchat.position")}
          options={POSITIONS.map((value) => ({ value, label: t(`webchat.positions.${value}`) }))}
        />
      </Row>
      <Texts
        label={t("webchat.greeting")}
        value={of.value.greeting}
        change={(greeting) => of.set({ greeting })}
        wrong={of.why("greeting")}
      />
      <TagsField
        of={of}
        at="origins"
        label={t("webchat.origins")}
        hint={t("webchat.originsHint")}
        placeholder="https://www.loja.com.br"
      />
      <Preview settings={of.value} name={name} />
    </Group>
  );
}

/** The window as visitors would see it with what stands in the form now. */
function Preview({ settings, name }: { settings: Settings; name: string }) {
  const { t } = useTranslation("settings");

  const colour = { "--colour": settings.colour } as CSSProperties;
  const asks = (["name", "email", "phone"] as const).filter(
    (field) => (settings.form?.[field] ?? "no") !== "no",
  );
  const greeting = text(fields(settings.greeting)["pt-BR"]) || t("webchat.sample");
  return (
    <figure
      className={css.look}
      data-theme={settings.theme}
      data-position={settings.position}
      style={colour}
      aria-label={t("webchat.preview")}
    >
      <div className={css.window}>
        <header>{settings.title || name || t("section.webchat")}</header>
        <p>{greeting}</p>
        <ul>
          {asks.map((field) => (
            <li key={field}>
              {t(`webchat.ask.${field}`)}
              {settings.form?.[field] === "must" && " *"}
            </li>
          ))}
        </ul>
      </div>
      <span className={css.launcher} aria-hidden="true">
        <IconMessageCircle size={26} />
      </span>
    </figure>
  );
}

const ASKS = ["no", "ask", "must"] as const;

function Asked({ of }: { of: Part<Settings> }) {
  const { t } = useTranslation("settings");
  const form = part(of, "form");
  const options = ASKS.map((value) => ({ value, label: t(`webchat.asks.${value}`) }));
  return (
    <Group title={t("webchat.form")} text={t("webchat.formText")}>
      <Row>
        <ChoiceField of={form} at="name" label={t("webchat.ask.name")} options={options} />
        <ChoiceField of={form} at="email" label={t("webchat.ask.email")} options={options} />
        <ChoiceField of={form} at="phone" label={t("webchat.ask.phone")} options={options} />
      </Row>
      <ManyField
        of={form}
        at="services"
        label={t("webchat.services")}
        hint={t("webchat.servicesHint")}
        options={useOptions(services)}
        none={t("webchat.noServices")}
      />
      <NumberField
        of={of}
        at="reopen_minutes"
        label={t("channels.reopen")}
        hint={t("channels.reopenHint")}
        unit="min"
        empty={0}
        min={0}
      />
    </Group>
  );
}
