import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAddressBook, IconDownload, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { namedCompany } from "../../../api/client";
import { Avatar } from "../../../parts/avatar";
import { users } from "../kept";
import { useOptions } from "../parts/fields";
import { List } from "../parts/list";
import { State } from "../parts/page";
import parts from "../parts/parts.module.css";
import { Import } from "./import";
import { type Contact, named } from "./resource";

/** How long nobody types before it is sought, in milliseconds. */
const RESTS_MS = 300;

/** The customers. */
export function Contacts() {
  const { t } = useTranslation("settings");
  const [sought, setSought] = useState("");
  const [wanted] = useDebouncedValue(sought.trim(), RESTS_MS);
  const people = useOptions(users);
  const owner = (id?: string | null) => people.find(({ value }) => value === id)?.label ?? "–";
  return (
    <List
      resource={named(wanted)}
      section="contacts"
      title={t("section.contacts")}
      text={t("contacts.text")}
      icon={<IconAddressBook size={36} stroke={1.4} />}
      add={t("contacts.add")}
      isSought={wanted !== ""}
      actions={
        <>
          <Import />
          <Button
            variant="default"
            component="a"
            href={`/api/v1/contacts/export?${namedCompany()}`}
            download
            leftSection={<IconDownload size={16} />}
          >
            {t("contacts.export")}
          </Button>
        </>
      }
      below={
        <TextInput
          className={parts.search ?? ""}
          aria-label={t("contacts.search")}
          placeholder={t("contacts.search")}
          leftSection={<IconSearch size={16} />}
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
      }
      nothing={{ title: t("contacts.none"), text: t("contacts.noneText") }}
      name={(contact) => contact.name || t("contacts.unnamed")}
      columns={[
        { name: t("contacts.reach"), of: (contact) => <Reach contact={contact} /> },
        { name: t("contacts.owner"), of: (contact) => owner(contact.owner), narrow: true },
        {
          name: t("state"),
          of: ({ blocked_in, blocked_out }) =>
            blocked_in || blocked_out ? <State is="bad">{t("contacts.blocked")}</State> : null,
          narrow: true,
        },
      ]}
    />
  );
}

/** The first id by which a person can be reached. */
export function Reach({ contact }: { contact: Contact }) {
  const { t } = useTranslation("settings");
  const [first, ...others] = contact.identities;
  if (first === undefined) return <span>{t("contacts.noId")}</span>;
  return (
    <span className={parts.who}>
      <Avatar name={contact.name} size={26} />
      {first.external_id}
      {others.length > 0 && ` +${others.length}`}
    </span>
  );
}
