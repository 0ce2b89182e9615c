import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Keys } from "../../parts/keys";
import css from "./shell.module.css";

const SHORTCUTS = [
  ["?", "help"],
  ["Ctrl+K", "seek"],
  ["Alt+A", "accept"],
  ["Alt+1…9", "pick"],
  ["Alt+R", "write"],
  ["Alt+T", "templates"],
  ["Alt+N", "note"],
  ["Alt+X", "transfer"],
  ["Alt+E", "close"],
  ["Alt+C", "customer"],
  ["Alt+D", "presence"],
  ["Alt+L", "dial"],
  ["Alt+M", "mute"],
  ["Alt+H", "hold"],
  ["Alt+K", "keypad"],
  ["Alt+Q", "hangUp"],
] as const;

/** What the keys do. */
export default function ShortcutList({ close }: { close: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={close}
      title={t("keys.title")}
      closeButtonProps={{ "aria-label": t("failed.close") }}
    >
      <dl className={css.keys}>
        {SHORTCUTS.map(([keys, what]) => (
          <div key={what} style={{ display: "contents" }}>
            <dt>{t(`keys.${what}`)}</dt>
            <dd>
              <Keys of={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
