import { Button } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Detail } from "../parts/detail";
import { Group, ManyField, TextField, useOptions } from "../parts/fields";
import type { Form } from "../parts/form";
import { List } from "../parts/list";
import parts from "../parts/parts.module.css";
import { resource, type Settings } from "../parts/resource";
import { services } from "../services/resource";

const replies = resource("/api/v1/quick-replies");

type Reply = Settings<"/api/v1/quick-replies">;

const EMPTY: Reply = { shortcut: "", text: "", services: [] };

/** The sentences that agents write by `/` and a few letters. */
export function Replies() {
  const { t } = useTranslation("settings");
  const known = useOptions(services);
  const named = (ids: readonly string[]) =>
    ids.map((id) => known.find(({ value }) => value === id)?.label ?? "").join(", ");
  return (
    <List
      resource={replies}
      section="quick-replies"
      title={t("section.quick-replies")}
      text={t("replies.text")}
      icon={<IconBolt size={36} stroke={1.4} />}
      add={t("replies.add")}
      nothing={{ title: t("replies.none"), text: t("replies.noneText") }}
      name={(reply) => `/${reply.shortcut}`}
      words={(reply) => reply.text}
      columns={[
        {
          name: t("replies.sentence"),
          of: ({ text }) => <span className={parts.cut}>{text}</span>,
        },
        {
          name: t("section.services"),
          of: ({ services = [] }) =>
            services.length === 0 ? t("replies.everywhere") : named(services),
          narrow: true,
        },
      ]}
    />
  );
}

export function ReplyPage({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const known = useOptions(services);
  return (
    <Detail
      resource={replies}
      section="quick-replies"
      id={id}
      list={t("section.quick-replies")}
      added={t("replies.add")}
      name={(reply) => `/${reply.shortcut}`}
      empty={EMPTY}
      remove={() => <p>{t("replies.remove")}</p>}
    >
      {(form) => (
        <Group title={t("replies.about")} text={t("replies.aboutText")}>
          <TextField
            of={form}
            at="shortcut"
            label={t("replies.shortcut")}
            hint={t("replies.shortcutHint")}
            maxLength={30}
            mono
          />
          <TextField of={form} at="text" label={t("replies.sentence")} lines={6} maxLength={4000} />
          <Blanks form={form} />
          <ManyField
            of={form}
            at="services"
            label={t("section.services")}
            hint={t("replies.servicesHint")}
            options={known}
            none={t("replies.everywhere")}
          />
        </Group>
      )}
    </Detail>
  );
}

const BLANKS = ["name", "protocol", "agent", "service"] as const;

/** What the window fills in: at a press it stands at the end of the sentence. */
function Blanks({ form }: { form: Form<Reply> }) {
  const { t } = useTranslation("settings");
  return (
    <div className={parts.chips}>
      <span>{t("replies.insert")}</span>
      {BLANKS.map((blank) => (
        <Button
          key={blank}
          variant="default"
          size="compact-sm"
          onClick={() => form.set({ text: `${form.value.text}{{${blank}}}` })}
        >
          {t(`replies.blank.${blank}`)}
        </Button>
      ))}
    </div>
  );
}
