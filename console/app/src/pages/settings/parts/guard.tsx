import { Button, Modal } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import css from "./parts.module.css";

/** Nobody loses what they wrote without having been asked. */
export function Guard({ isChanged }: { isChanged: boolean }) {
  const { t } = useTranslation("settings");
  const blocker = useBlocker({
    shouldBlockFn: () => isChanged,
    enableBeforeUnload: isChanged,
    withResolver: true,
  });
  return (
    <Modal
      opened={blocker.status === "blocked"}
      onClose={() => blocker.reset?.()}
      title={t("leave.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <p className={css.said}>{t("leave.text")}</p>
      <div className={css.buttons}>
        <Button variant="default" onClick={() => blocker.proceed?.()}>
          {t("leave.go")}
        </Button>
        <Button data-autofocus onClick={() => blocker.reset?.()}>
          {t("leave.stay")}
        </Button>
      </div>
    </Modal>
  );
}
