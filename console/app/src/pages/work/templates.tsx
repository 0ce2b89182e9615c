import { Modal, Skeleton, TextInput, UnstyledButton } from "@mantine/core";
import { IconTemplateOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Template, Work } from "../../api/client";
import { templates } from "../../api/questions";
import { Empty } from "../../parts/empty";
import { Filling } from "./filling";
import { isUsable, words } from "./template";
import css from "./templates.module.css";

type Props = { work: Work; channel: string; close: () => void };

/** Words that were approved beforehand: chosen, filled in and looked at before they go. */
export default function Templates({ work, channel, close }: Props) {
  const { t } = useTranslation("agent");
  const { t: core } = useTranslation();
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
      title={core("composer.choose")}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      {all === undefined && <Skeleton height={260} />}
      {usable?.length === 0 && (
        <Empty
          icon={<IconTemplateOff size={36} stroke={1.4} />}
          title={t("template.none")}
          text={t("template.noneText")}
        />
      )}
      {found !== undefined && usable !== undefined && usable.length > 0 && (
        <div className={css.two}>
          <div>
            <TextInput
              data-autofocus
              aria-label={t("template.search")}
              placeholder={t("template.search")}
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
            <Filling
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
