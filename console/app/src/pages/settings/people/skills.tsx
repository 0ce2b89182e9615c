import { IconStars } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { skills } from "../kept";
import { Detail } from "../parts/detail";
import { Group, TextField } from "../parts/fields";
import { List } from "../parts/list";

/** What people can do, better or worse. */
export function Skills() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={skills}
      section="skills"
      title={t("section.skills")}
      text={t("skills.text")}
      icon={<IconStars size={36} stroke={1.4} />}
      add={t("skills.add")}
      nothing={{ title: t("skills.none"), text: t("skills.noneText") }}
      name={(skill) => skill.name}
      columns={[]}
    />
  );
}

export function Skill({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={skills}
      section="skills"
      id={id}
      list={t("section.skills")}
      added={t("skills.add")}
      name={(skill) => skill.name}
      empty={{ name: "" }}
      remove={() => <p>{t("skills.remove")}</p>}
    >
      {(form) => (
        <Group title={t("skills.about")} text={t("skills.aboutText")}>
          <TextField of={form} at="name" label={t("name")} hint={t("skills.nameHint")} />
        </Group>
      )}
    </Detail>
  );
}
