import { Button, Modal, Switch } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { useWhy } from "../../../parts/notices";
import parts from "../parts/parts.module.css";
import { contacts } from "./resource";

/** Takes contacts from a table, and says what became of each line. */
export function Import() {
  const { t } = useTranslation("settings");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconUpload size={16} />}
        onClick={() => setIsOpen(true)}
      >
        {t("import.button")}
      </Button>
      {isOpen && <Importing close={() => setIsOpen(false)} />}
    </>
  );
}

function Importing({ close }: { close: () => void }) {
  const { t } = useTranslation("settings");
  const [file, setFile] = useState<File>();
  const [updates, setUpdates] = useState(true);
  const client = useQueryClient();
  const why = useWhy();
  const importing = useMutation({
    mutationFn: async () => {
      const all = await file?.text();
      return take(all ?? "", updates);
    },
    onSuccess: () => client.invalidateQueries({ queryKey: [contacts.key] }),
  });
  const { data, error } = importing;
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={t("import.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <p className={parts.said}>{t("import.text")}</p>
      <label className={parts.file}>
        <span>{t("import.file")}</span>
        <input
          type="file"
          accept=".csv,text/csv"
          onChange={(event) => {
            setFile(event.currentTarget.files?.[0]);
            importing.reset();
          }}
        />
      </label>
      <Switch
        label={t("import.update")}
        description={t("import.updateHint")}
        checked={updates}
        onChange={(event) => setUpdates(event.currentTarget.checked)}
      />
      {error !== null && (
        <p className={parts.wrong} role="alert">
          {why(error)}
        </p>
      )}
      {data !== undefined && <Result of={data} />}
      <div className={parts.buttons}>
        <Button variant="default" onClick={close}>
          {t("close")}
        </Button>
        <Button
          disabled={file === undefined || data !== undefined}
          loading={importing.isPending}
          onClick={() => importing.mutate()}
        >
          {t("import.button")}
        </Button>
      </div>
    </Modal>
  );
}

type Imported = Schemas["Imported"];

/** As the program says how far it came, the rest is given to it: with the head of the table above it again. */
async function take(table: string, updates: boolean): Promise<Imported> {
  const lines = table.split("\n");
  const total: Imported = { created: 0, updated: 0, refused: 0, refusals: [] };
  let from = 1;
  for (;;) {
    const body = [lines[0], ...lines.slice(from)].join("\n");
    const params = { query: { update: updates } };
    const init = { params, body, bodySerializer: (text: string) => text };
    const headers = { "content-type": "text/csv" };
    const done = await asked(api.POST("/api/v1/contacts/import", { ...init, headers }));
    total.created += done.created;
    total.updated += done.updated;
    total.refused += done.refused;
    for (const { line, ...rest } of done.refusals) {
      total.refusals.push({ ...rest, line: line + from - 1 });
    }
    if (done.next_line == null) return total;
    from += done.next_line - 2;
  }
}

function Result({ of }: { of: Imported }) {
  const { t } = useTranslation("settings");
  return (
    <div className={parts.said} role="status">
      <p>{t("import.done", { created: of.created, updated: of.updated, refused: of.refused })}</p>
      <ul>
        {of.refusals.slice(0, 20).map(({ line, code }) => (
          <li key={line}>{t("import.refusal", { line, code })}</li>
        ))}
      </ul>
    </div>
  );
}
