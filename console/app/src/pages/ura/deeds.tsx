import { ActionIcon, Button, Menu, Modal, TextInput } from "@mantine/core";
import { IconDots, IconPencil, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import { draft } from "./questions";
import css from "./ura.module.css";

type Flow = Schemas["Flow"];

/** What can be done with a URA as a whole. */
export function Deeds({ flow }: { flow: Flow }) {
  const { t } = useTranslation("ura");
  const [asks, setAsks] = useState<"rename" | "remove">();
  const close = () => setAsks(undefined);
  return (
    <>
      <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            aria-label={t("deeds.open", { name: flow.name })}
          >
            <IconDots size={18} aria-hidden="true" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden="true" />}
            onClick={() => setAsks("rename")}
          >
            {t("deeds.rename")}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconTrash size={16} aria-hidden="true" />}
            onClick={() => setAsks("remove")}
          >
            {t("deeds.remove")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asks === "rename" && <Rename flow={flow} close={close} />}
      {asks === "remove" && <Remove flow={flow} close={close} />}
    </>
  );
}

type Props = { flow: Flow; close: () => void };

/** Does it, and reads the list anew. */
function useDeed(deed: () => Promise<unknown>, close: () => void) {
  const client = useQueryClient();
  const why = useWhy();
  return useMutation({
    mutationFn: deed,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["flows"] });
      close();
    },
    onError: (error) => notice(why(error)),
  });
}

function Rename({ flow, close }: Props) {
  const { t } = useTranslation("ura");
  const { t: core } = useTranslation();
  const [name, setName] = useState(flow.name);
  const client = useQueryClient();
  const rename = useDeed(async () => {
    const now = await client.fetchQuery({ ...draft(flow.id), staleTime: 0 });
    const params = { path: { id: flow.id } };
    const document = now.flow as unknown as Record<string, never>;
    const body = { revision: now.revision, name: name.trim(), flow: document };
    await asked(api.PUT("/api/v1/flows/{id}/draft", { params, body }));
  }, close);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t("deeds.rename")}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <form className={css.verdict} onSubmit={submit}>
        <TextInput
          data-autofocus
          label={t("create.name")}
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <div className={css.foot}>
          <Button variant="default" onClick={close}>
            {t("publish.cancel")}
          </Button>
          <Button type="submit" disabled={name.trim() === ""} loading={rename.isPending}>
            {t("deeds.rename")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Remove({ flow, close }: Props) {
  const { t } = useTranslation("ura");
  const { t: core } = useTranslation();
  const remove = useDeed(
    () => asked(api.DELETE("/api/v1/flows/{id}", { params: { path: { id: flow.id } } })),
    close,
  );
  return (
    <Modal
      opened
      onClose={close}
      title={t("deeds.removing", { name: flow.name })}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <div className={css.verdict}>
        <p>{t("deeds.removeText")}</p>
        <div className={css.foot}>
          <Button variant="default" data-autofocus onClick={close}>
            {t("publish.cancel")}
          </Button>
          <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
            {t("deeds.remove")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
