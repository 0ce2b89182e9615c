import { TextInput, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { mail, messages } from "../../api/questions";
import css from "./above.module.css";
import { addresses, type Heading, odd } from "./heading";

type Props = { interaction: string; heading: Heading; change: (next: Heading) => void };

/** What stands above an answer by mail: folded away until somebody wants it otherwise. */
export default function Above({ interaction, heading, change }: Props) {
  const { t } = useTranslation("agent");
  const { data: all } = useQuery(messages(interaction));
  const last = all?.findLast(({ direction }) => direction === "inbound")?.id;
  const { data: answered } = useQuery({ ...mail(last ?? ""), enabled: last !== undefined });
  const [isOpen, setIsOpen] = useState(false);
  const subject = heading.subject || answered?.subject || t("mail.noSubject");
  const copies = addresses(heading.cc).length + addresses(heading.bcc).length;
  const field = (name: keyof Heading, hint: string) => {
    const wrong = name === "subject" ? undefined : odd(heading[name]);
    return (
      <TextInput
        size="xs"
        label={t(`mail.${name}`)}
        placeholder={hint}
        maxLength={name === "subject" ? SUBJECT_MAX : undefined}
        value={heading[name]}
        error={wrong !== undefined && t("mail.odd", { text: wrong })}
        onChange={({ currentTarget: { value } }) => change({ ...heading, [name]: value })}
      />
    );
  };
  const Chevron = isOpen ? IconChevronUp : IconChevronDown;
  return (
    <div className={css.above}>
      <UnstyledButton
        className={css.fold}
        aria-expanded={isOpen}
        onClick={() => setIsOpen((is) => !is)}
      >
        <span>
          {t("mail.subject")}: <strong>{subject}</strong>
          {copies > 0 && <> · {t("mail.copies", { count: copies })}</>}
        </span>
        <Chevron size={16} aria-hidden="true" />
      </UnstyledButton>
      {isOpen && (
        <div className={css.fields}>
          {field("subject", answered?.subject ?? "")}
          {field("cc", t("mail.asAnswered"))}
          {field("bcc", "")}
        </div>
      )}
    </div>
  );
}

/** What mail programs still show, in characters. */
const SUBJECT_MAX = 250;
