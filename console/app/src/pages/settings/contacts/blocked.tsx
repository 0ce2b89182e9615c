import { IconBan } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { List } from "../parts/list";
import { Reach } from "./contacts";
import { blocked } from "./resource";

/** From whom nothing is taken, and to whom nothing is sent. */
export function Blocked() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={blocked}
      section="contacts"
      title={t("section.blocked")}
      text={t("blocked.text")}
      icon={<IconBan size={36} stroke={1.4} />}
      nothing={{ title: t("blocked.none"), text: t("blocked.noneText") }}
      name={(contact) => contact.name || t("contacts.unnamed")}
      columns={[
        { name: t("contacts.reach"), of: (contact) => <Reach contact={contact} /> },
        { name: t("blocked.in"), of: ({ blocked_in }) => (blocked_in ? t("yes") : t("no")) },
        { name: t("blocked.out"), of: ({ blocked_out }) => (blocked_out ? t("yes") : t("no")) },
      ]}
    />
  );
}
