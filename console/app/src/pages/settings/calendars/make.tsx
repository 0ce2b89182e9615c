import { Button, Modal } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useWhy } from "../../../parts/notices";
import { TextField } from "../parts/fields";
import { useForm } from "../parts/form";
import parts from "../parts/parts.module.css";
import { calendars, EMPTY } from "./resource";
import { hoursOf, Weekly } from "./weekly";

/** Hours that are missing where they are chosen: made there, without leaving what is being written. */
export function MakeHours({ made }: { made: (id: string) => void }) {
  const { t } = useTranslation("settings");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div>
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<IconPlus size={15} />}
        onClick={() => setIsOpen(true)}
      >
        {t("calendars.add")}
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => setIsOpen(false)}
        title={t("calendars.add")}
        size="lg"
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <Making
          made={(id) => {
            setIsOpen(false);
            made(id);
          }}
        />
      </Modal>
    </div>
  );
}

function Making({ made }: { made: (id: string) => void }) {
  const { t } = useTranslation("settings");
  const form = useForm(EMPTY);
  const client = useQueryClient();
  const why = useWhy();
  const making = useMutation({
    mutationFn: () => calendars.create(form.value),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: [calendars.key] });
      made(id);
    },
    onError: form.refuse,
  });
  return (
    <div className={parts.fields}>
      <TextField of={form} at="name" label={t("name")} hint={t("calendars.nameHint")} autoFocus />
      <Weekly of={hoursOf(form)} wrong={form.why("hours")} />
      {making.isError && (
        <p className={parts.wrong} role="alert">
          {why(making.error)}
        </p>
      )}
      <div className={parts.buttons}>
        <Button loading={making.isPending} onClick={() => making.mutate()}>
          {t("save")}
        </Button>
      </div>
    </div>
  );
}
