import { Select } from "@mantine/core";
import { IconShieldLock } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { profiles } from "../kept";
import { Detail } from "../parts/detail";
import { Group, TextField } from "../parts/fields";
import { List } from "../parts/list";
import parts from "../parts/parts.module.css";

type Granted = Schemas["Granted"];
type Permissions = Record<string, Granted>;

const AREAS = [
  "interactions",
  "recordings",
  "desk",
  "reports",
  "contacts",
  "services",
  "flows",
  "channels",
  "people",
  "integrations",
  "audit",
  "company",
] as const;

const LEVELS = ["own", "view", "change"] as const;
const SCOPES = ["services", "all"] as const;

/** What people may do, under names. */
export function Profiles() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={profiles}
      section="profiles"
      title={t("section.profiles")}
      text={t("profiles.text")}
      icon={<IconShieldLock size={36} stroke={1.4} />}
      add={t("profiles.add")}
      nothing={{ title: t("profiles.none"), text: t("profiles.noneText") }}
      name={(profile) => profile.name}
      columns={[
        {
          name: t("profiles.changes"),
          of: ({ permissions }) =>
            AREAS.filter((area) => (permissions as Permissions)[area]?.level === "change")
              .map((area) => t(`profiles.area.${area}`))
              .join(", ") || "–",
        },
      ]}
    />
  );
}

export function ProfilePage({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={profiles}
      section="profiles"
      id={id}
      list={t("section.profiles")}
      added={t("profiles.add")}
      name={(profile) => profile.name}
      empty={{ name: "", permissions: {} }}
      remove={() => <p>{t("profiles.remove")}</p>}
    >
      {(form) => (
        <>
          <Group title={t("profiles.about")} text={t("profiles.aboutText")}>
            <TextField of={form} at="name" label={t("name")} hint={t("profiles.nameHint")} />
          </Group>
          <Matrix
            permissions={form.value.permissions as Permissions}
            change={(permissions) => form.set({ permissions })}
          />
        </>
      )}
    </Detail>
  );
}

/** Each area, how far one may go in it, and about whose customers. */
function Matrix({
  permissions,
  change,
}: {
  permissions: Permissions;
  change: (permissions: Permissions) => void;
}) {
  const { t } = useTranslation("settings");
  const put = (area: string, granted: Partial<Granted>) => {
    const { scope = null, level = "own" } = { ...permissions[area], ...granted };
    change({ ...permissions, [area]: { level, scope: level === "own" ? null : (scope ?? "all") } });
  };
  return (
    <table className={parts.table}>
      <thead>
        <tr>
          <th scope="col">{t("profiles.where")}</th>
          <th scope="col">{t("profiles.level")}</th>
          <th scope="col">{t("profiles.scope")}</th>
        </tr>
      </thead>
      <tbody>
        {AREAS.map((area) => {
          const { level = "own", scope } = permissions[area] ?? {};
          return (
            <tr key={area}>
              <th scope="row">{t(`profiles.area.${area}`)}</th>
              <td>
                <Select
                  aria-label={`${t(`profiles.area.${area}`)}: ${t("profiles.level")}`}
                  data={LEVELS.map((value) => ({ value, label: t(`profiles.levels.${value}`) }))}
                  value={level}
                  allowDeselect={false}
                  onChange={(value) => put(area, { level: (value ?? "own") as Granted["level"] })}
                />
              </td>
              <td>
                <Select
                  aria-label={`${t(`profiles.area.${area}`)}: ${t("profiles.scope")}`}
                  data={SCOPES.map((value) => ({ value, label: t(`profiles.scopes.${value}`) }))}
                  value={level === "own" ? null : (scope ?? "all")}
                  placeholder="–"
                  disabled={level === "own"}
                  allowDeselect={false}
                  onChange={(value) => put(area, { scope: (value ?? "all") as "all" })}
                />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
