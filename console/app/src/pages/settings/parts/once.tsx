import { Button, CopyButton, Modal } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { store, useStore } from "../../../live/store";
import css from "./parts.module.css";

type Once = {
  title: string;
  text: string;
  /** What is seen this one time, each with what it is. */
  values: readonly { label: string; value: string }[];
};

const shown = store<Once | undefined>(undefined);

/** Shows secrets that nobody can see again. */
export function showOnce(once: Once): void {
  shown.set(once);
}

/** What is shown this one time, above whatever page. It does not go away by a slip of the mouse. */
export function ShownOnce() {
  const { t } = useTranslation("settings");
  const once = useStore(shown, (value) => value);
  if (once === undefined) return null;
  const close = () => shown.set(undefined);
  return (
    <Modal
      opened
      onClose={close}
      title={once.title}
      size="lg"
      closeOnClickOutside={false}
      withCloseButton={false}
    >
      <p className={css.said}>{once.text}</p>
      {once.values.map((one) => (
        <Copied key={one.label} {...one} />
      ))}
      <div className={css.buttons}>
        <Button data-autofocus onClick={close}>
          {t("once.done")}
        </Button>
      </div>
    </Modal>
  );
}

/** A value that is to be taken elsewhere. */
export function Copied({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation("settings");
  return (
    <div className={css.copied}>
      <div>
        <span>{label}</span>
        <code>{value}</code>
      </div>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            size="xs"
            leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
            onClick={copy}
          >
            {t(copied ? "once.copied" : "once.copy")}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
