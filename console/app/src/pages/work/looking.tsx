import { Modal, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { messages, notes } from "../../api/questions";
import { useBeside } from "./beside";
import css from "./looking.module.css";
import { lookedAt } from "./mentions";
import NoteBox from "./note";
import { Rows } from "./rows";
import { author } from "./said";

type Props = { interaction: string; close: () => void };

/** A conversation that a colleague has in hand and asks one about: to be read, and answered by a note. */
export default function Looking({ interaction, close }: Props) {
  const { t } = useTranslation();
  const typed = useBeside(interaction);
  const { data: all, isError } = useQuery(messages(interaction));
  const { data: noted } = useQuery(notes(interaction));
  useEffect(() => lookedAt(interaction), [interaction]);
  const customer = all?.findLast(({ direction }) => direction === "inbound");
  const name = (customer && author(customer).name) || t("work.customer");
  const isThere = all !== undefined || isError;
  return (
    <Modal
      opened
      onClose={close}
      size={720}
      title={name}
      closeButtonProps={{ "aria-label": t("failed.close") }}
    >
      {/* Upside down: what is newest is seen first. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <div className={css.scroller} tabIndex={0} role="log" aria-label={t("talk.messages")}>
        <div>
          {!isThere && <Skeleton height={200} />}
          <Rows all={all ?? []} noted={noted ?? []} work={{ interaction, doing: "looked at" }} />
        </div>
      </div>
      <NoteBox interaction={interaction} typed={typed} />
    </Modal>
  );
}
