import { Button, Modal, Skeleton, TextInput, UnstyledButton } from "@mantine/core";
import { IconTemplateOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Template, Work } from "../../api/client";
import { templates } from "../../api/questions";
import { send } from "../../live/sending";
import { Empty } from "../../parts/empty";
import { blanks, filled, isUsable, values, words } from "./template";
import css from "./templates.module.css";

type Props = { work: Work; channel: string; close: () => void };

/** Words that were approved beforehand: chosen, filled in and looked at before they go. */
export function Templates({ work, channel, close }: Props) {
  const { t } = useTranslation();
  const { data: all } = useQuery(templates(channel));
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<Template>();
  const sought = search.trim().toLowerCase();
  const usable = all?.filter(isUsable);
  const found = usable?.filter((one) =>
    `${one.name} ${words(one).body}`.toLowerCase().includes(sought),
  );
  return (
    <Modal
      opened
      onClose={close}
      size={820}
      title={t("composer.choose")}
      closeButtonProps={{ "aria-label": t("failed.close") }}
    >
      {all === undefined && <Skeleton height={260} />}
      {usable?.length === 0 && (
        <Empty
          icon={<IconTemplateOff size={36} stroke={1.4} />}
          title={t("composer.noTemplates")}
          text={t("composer.noTemplatesText")}
        />
      )}
      {found !== undefined && usable !== undefined && usable.length > 0 && (
        <div className={css.two}>
          <div>
            <TextInput
              data-autofocus
              aria-label={t("composer.search")}
              placeholder={t("composer.search")}
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
            />
            <ul className={css.list}>
              {found.map((one) => (
                <li key={`${one.name} ${one.language}`}>
                  <UnstyledButton
                    className={css.one}
                    aria-pressed={chosen === one}
                    onClick={() => setChosen(one)}
                  >
                    <strong>
                      {one.name.replaceAll("_", " ")} <small>{one.language}</small>
                    </strong>
                    <span>{words(one).body}</span>
                  </UnstyledButton>
                </li>
              ))}
            </ul>
          </div>
          {chosen !== undefined && (
            <Form
              key={`${chosen.name} ${chosen.language}`}
              template={chosen}
              work={work}
              close={close}
            />
          )}
        </div>
      )}
    </Modal>
  );
}

function Form({ template, work, close }: { template: Template; work: Work; close: () => void }) {
  const { t } = useTranslation();
  const needed = blanks(template);
  const [given, setGiven] = useState<Readonly<Record<string, string>>>(() => {
    // Most templates begin with whom they greet.
    const greets = needed.find((one) => one.place === "body");
    return greets ? { [greets.id]: work.customer } : {};
  });
  const isWhole = needed.every((one) => (given[one.id] ?? "").trim() !== "");
  const shown = filled(template, given);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isWhole) return;
    send({
      interaction: work.interaction,
      text: shown.body,
      files: [],
      body: {
        template: {
          name: template.name,
          language: template.language,
          // The description leaves the values open: they are as the template names its blanks.
          values: values(template, given) as never,
        },
      },
    });
    close();
  };
  return (
    <form className={css.form} onSubmit={submit}>
      {needed.map((one) => (
        <TextInput
          key={one.id}
          label={/^\d+$/.test(one.name) ? t("composer.value", { name: one.name }) : one.name}
          value={given[one.id] ?? ""}
          onChange={({ currentTarget: { value } }) =>
            setGiven((before) => ({ ...before, [one.id]: value }))
          }
        />
      ))}
      <div>
        <p className={css.label}>{t("composer.preview")}</p>
        <div className={css.preview}>
          {shown.header !== "" && <strong>{shown.header}</strong>}
          <p>{shown.body}</p>
          {shown.footer !== "" && <small>{shown.footer}</small>}
        </div>
      </div>
      <Button type="submit" disabled={!isWhole}>
        {t("composer.sendTemplate")}
      </Button>
    </form>
  );
}
