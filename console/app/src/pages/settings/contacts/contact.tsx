import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { history } from "../../../api/questions";
import { MediumIcon } from "../../../parts/medium";
import { LANGUAGES } from "../../../words/words";
import { users } from "../kept";
import { Detail } from "../parts/detail";
import {
  ChoiceField,
  Group,
  NumberField,
  Row,
  SwitchField,
  TextField,
  useOptions,
} from "../parts/fields";
import type { Form, Part } from "../parts/form";
import { Lines } from "../parts/lines";
import parts from "../parts/parts.module.css";
import type { Settings } from "../parts/resource";
import { Identities } from "./identities";
import { Merge } from "./merge";
import { type Contact, contacts } from "./resource";

type ContactSettings = Settings<"/api/v1/contacts">;

const EMPTY: ContactSettings = {
  name: "",
  notes: "",
  owner: null,
  language: null,
  priority: 0,
  blocked_in: false,
  blocked_out: false,
  fields: {},
};

function body(contact: Contact): ContactSettings {
  const { name, notes, owner = null, language = null, priority } = contact;
  const { blocked_in, blocked_out, fields, owner_fallback } = contact;
  return {
    name,
    notes,
    owner,
    language,
    priority,
    blocked_in,
    blocked_out,
    fields,
    owner_fallback,
  };
}

/** A customer: who they are, how they are reached, what was before. */
export function ContactPage({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  return (
    <Detail
      resource={contacts}
      section="contacts"
      id={id}
      list={t("section.contacts")}
      added={t("contacts.add")}
      name={(contact) => contact.name || t("contacts.unnamed")}
      empty={EMPTY}
      body={body}
      actions={(contact) => (
        <Merge
          contact={contact}
          done={() => client.invalidateQueries({ queryKey: [contacts.key] })}
        />
      )}
      remove={() => <p>{t("contacts.remove")}</p>}
    >
      {(form, contact) => (
        <>
          <About form={form} />
          {contact !== undefined && <Identities contact={contact} />}
          <Own form={form} />
          <Group title={t("contacts.block")} text={t("contacts.blockText")}>
            <SwitchField of={form} at="blocked_in" label={t("contacts.blockIn")} />
            <SwitchField of={form} at="blocked_out" label={t("contacts.blockOut")} />
          </Group>
          {contact !== undefined && <History id={contact.id} />}
        </>
      )}
    </Detail>
  );
}

function About({ form }: { form: Form<ContactSettings> }) {
  const { t } = useTranslation("settings");
  const locales = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }));
  return (
    <Group title={t("contacts.about")}>
      <TextField of={form} at="name" label={t("name")} />
      <Row>
        <ChoiceField
          of={form}
          at="owner"
          label={t("contacts.owner")}
          options={useOptions(users)}
          none={t("contacts.nobody")}
        />
        <ChoiceField
          of={form}
          at="language"
          label={t("users.locale")}
          options={locales}
          none={t("contacts.anyLanguage")}
        />
      </Row>
      <NumberField
        of={form}
        at="priority"
        label={t("services.priority")}
        hint={t("contacts.priorityHint")}
        empty={0}
        min={-1000}
      />
      <TextField of={form} at="notes" label={t("contacts.notes")} lines={3} />
    </Group>
  );
}

type Line = { name: string; value: string };

/** Fields of the company's own, by their names. */
function Own({ form }: { form: Form<ContactSettings> }) {
  const { t } = useTranslation("settings");
  const of: Part<{ lines: Line[] }> = {
    value: {
      lines: Object.entries(form.value.fields ?? {}).map(([name, value]) => ({ name, value })),
    },
    set: ({ lines = [] }) =>
      form.set({ fields: Object.fromEntries(lines.map(({ name, value }) => [name, value])) }),
    why: () => form.why("fields"),
  };
  return (
    <Group title={t("contacts.own")} text={t("contacts.ownText")}>
      <Lines
        of={of}
        at="lines"
        label={t("contacts.fields")}
        add={t("contacts.addField")}
        blank={{ name: "", value: "" }}
      >
        {(line) => (
          <>
            <TextField of={line} at="name" label={t("name")} />
            <TextField of={line} at="value" label={t("contacts.value")} />
          </>
        )}
      </Lines>
    </Group>
  );
}

function History({ id }: { id: string }) {
  const { t, i18n } = useTranslation("settings");
  const { data } = useQuery(history(id));
  const format = new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return (
    <Group title={t("contacts.history")} text={t("contacts.historyText")}>
      {data?.length === 0 && <p className={parts.said}>{t("contacts.noHistory")}</p>}
      <ul className={parts.things}>
        {data?.map((one) => (
          <li key={one.id}>
            <MediumIcon kind={one.medium} />
            <Link to="/trace/$interaction" params={{ interaction: one.id }}>
              {one.protocol}
            </Link>
            <span>{format.format(one.started_ms)}</span>
          </li>
        ))}
      </ul>
    </Group>
  );
}
