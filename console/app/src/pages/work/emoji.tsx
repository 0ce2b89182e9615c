import { ActionIcon, Popover, Tooltip, UnstyledButton } from "@mantine/core";
import { IconMoodSmile } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import css from "./composer.module.css";

/** Those that are written to customers. */
const SIGNS = [
  ..."😀😃😄😁😊🙂😉😍🥰😘😅😂🤣😎🤔😐😕🙁😢😭😮😴🤗🙏👍👎👏🙌💪👋🤝✌👌✅❌⚠❗❓⏳📦🚚💳💰🎁🎉🔥⭐💙💚❤📞📧📍🔗",
];

/** A sign into what is being written. */
export default function Emoji({ put }: { put: (sign: string) => void }) {
  const { t } = useTranslation("agent");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover
      opened={isOpen}
      onChange={setIsOpen}
      position="top-start"
      shadow="md"
      radius="lg"
      trapFocus
    >
      <Popover.Target>
        <Tooltip label={t("emoji.title")}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t("emoji.title")}
            onClick={() => setIsOpen((is) => !is)}
          >
            <IconMoodSmile size={19} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={css.emoji}>
          {SIGNS.map((sign) => (
            <UnstyledButton
              key={sign}
              onClick={() => {
                put(sign);
                setIsOpen(false);
              }}
            >
              {sign}
            </UnstyledButton>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
