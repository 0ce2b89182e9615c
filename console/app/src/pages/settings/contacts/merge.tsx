import { Button, Modal, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { notice, useWhy } from "../../../parts/notices";
import parts from "../parts/parts.module.css";
import { listed } from "../parts/resource";
import { type Contact, named } from "./resource";

/** Makes one customer of two that turned out to be the same. */
export function Merge({ contact, done }: { contact: Contact; done: () => unknown }) {
  const { t } = useTranslation("settings");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setIsOpen(true)}>
        {t("merge.button")}
      </Button>
      {isOpen && <Merging contact={contact} done={done} close={() => setIsOpen(false)} />}
    </>
  );
}

function Merging({
  contact,
  done,
  close,
}: {
  contact: Contact;
  done: () => unknown;
  close: () => void;
}) {
  const { t } = useTranslation("settings");
  const [sought, setSought] = useState("");
  const [wanted] = useDebouncedValue(sought.trim(), 300);
  const [twin, setTwin] = useState<string | null>(null);
  const why = useWhy();
  const found = useInfiniteQuery(listed(named(wanted)));
  const others = found.data?.pages[0]?.items.filter(({ id }) => id !== contact.id) ?? [];
  const merging = useMutation({
    mutationFn: () =>
      asked(
        api.POST("/api/v1/contacts/{id}/merge", {
          params: { path: { id: contact.id } },
          body: { contact: twin ?? "" },
        }),
      ),
    onSuccess: async () => {
      notice(t("merge.done"));
      close();
      await done();
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={t("merge.title", { name: contact.name })}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <p className={parts.said}>{t("merge.text")}</p>
      <Select
        mt={14}
        label={t("merge.with")}
        placeholder={t("contacts.search")}
        searchable
        data-autofocus
        filter={({ options }) => options}
        nothingFoundMessage={t("nothing")}
        data={others.map(({ id, name, identities }) => ({
          value: id,
          label: [name || t("contacts.unnamed"), identities[0]?.external_id]
            .filter(Boolean)
            .join(" · "),
        }))}
        value={twin}
        onChange={setTwin}
        onSearchChange={setSought}
      />
      {merging.error !== null && (
        <p className={parts.wrong} role="alert">
          {why(merging.error)}
        </p>
      )}
      <div className={parts.buttons}>
        <Button variant="default" onClick={close}>
          {t("remove.keep")}
        </Button>
        <Button
          disabled={twin === null}
          loading={merging.isPending}
          onClick={() => merging.mutate()}
        >
          {t("merge.button")}
        </Button>
      </div>
    </Modal>
  );
}
