import { Button } from "@mantine/core";
import { IconTableImport, IconUsers } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ago, useNow } from "../../../parts/time";
import { users } from "../kept";
import { List } from "../parts/list";
import { OnOff } from "../parts/page";

const MINUTE_MS = 60_000;

/** Who works here. */
export function Users() {
  const { t } = useTranslation("settings");
  const { t: say } = useTranslation();
  const now = useNow(MINUTE_MS);
  return (
    <List
      resource={users}
      section="users"
      title={t("section.users")}
      text={t("users.text")}
      icon={<IconUsers size={36} stroke={1.4} />}
      add={t("users.add")}
      actions={
        <Button
          variant="default"
          leftSection={<IconTableImport size={16} />}
          renderRoot={(props) => (
            <Link to="/settings/$section" params={{ section: "users-import" }} {...props} />
          )}
        >
          {t("people.button")}
        </Button>
      }
      nothing={{ title: t("users.none"), text: t("users.noneText") }}
      name={(user) => user.name}
      words={(user) => user.email}
      columns={[
        { name: t("users.email"), of: ({ email }) => email, narrow: true },
        { name: t("users.role"), of: ({ role }) => t(`role.${role}`) },
        {
          name: t("users.lastLogin"),
          of: ({ last_login_ms }) =>
            last_login_ms == null ? t("users.never") : ago(say, now - last_login_ms),
          narrow: true,
        },
        { name: t("state"), of: ({ disabled }) => <OnOff disabled={disabled} /> },
      ]}
    />
  );
}
