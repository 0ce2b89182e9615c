import { Button, Modal } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useWhy } from "../../../parts/notices";
import css from "./parts.module.css";

type Props = {
  name: string;
  /** What becomes of it, and where it is used. */
  what: ReactNode;
  remove: () => Promise<unknown>;
  done: () => unknown;
  /** What the button says; to delete, when not given. */
  label?: string;
  /** What is asked; whether to delete it, when not given. */
  title?: string;
};

/** The way to be rid of something, with a question before it. */
export function Remove({ name, what, remove, done, label, title }: Props) {
  const { t } = useTranslation("settings");
  const [isAsked, setIsAsked] = useState(false);
  const why = useWhy();
  const removing = useMutation({
    mutationFn: remove,
    onSuccess: async () => {
      setIsAsked(false);
      await done();
    },
  });
  const close = () => {
    setIsAsked(false);
    removing.reset();
  };
  return (
    <>
      <Button
        {...(label === undefined
          ? {
              className: css.remove ?? "",
              variant: "subtle",
              color: "red",
              leftSection: <IconTrash size={16} />,
            }
          : { variant: "default" })}
        onClick={() => setIsAsked(true)}
      >
        {label ?? t("remove.button")}
      </Button>
      <Modal
        opened={isAsked}
        onClose={close}
        title={title ?? t("remove.title", { name })}
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <div className={css.said}>{what}</div>
        {removing.isError && (
          <p className={css.wrong} role="alert">
            {why(removing.error)}
          </p>
        )}
        <div className={css.buttons}>
          <Button variant="default" data-autofocus onClick={close}>
            {t("remove.keep")}
          </Button>
          <Button color="red" loading={removing.isPending} onClick={() => removing.mutate()}>
            {label ?? t("remove.button")}
          </Button>
        </div>
      </Modal>
    </>
  );
}
