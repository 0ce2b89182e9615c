import { ActionIcon, Button, Select, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { useWhy } from "../../../parts/notices";
import { Group } from "../parts/fields";
import parts from "../parts/parts.module.css";
import { type Contact, contacts } from "./resource";

const KINDS = ["phone", "email", "cpf", "cnpj", "wa_id"] as const;

type Kind = (typeof KINDS)[number];

const isKnown = (kind: string): kind is Kind => KINDS.some((known) => known === kind);

/** The ids under which channels know a customer: given and taken at once. */
export function Identities({ contact }: { contact: Contact }) {
  const { t } = useTranslation("settings");
  const [kind, setKind] = useState<Kind>("phone");
  const [text, setText] = useState("");
  const client = useQueryClient();
  const why = useWhy();
  const again = () => client.invalidateQueries({ queryKey: [contacts.key] });
  const id = contact.id;
  const giving = useMutation({
    mutationFn: () => {
      const body = { kind, text };
      return asked(
        api.POST("/api/v1/contacts/{id}/identities", { params: { path: { id } }, body }),
      );
    },
    onSuccess: () => {
      setText("");
      return again();
    },
  });
  const taking = useMutation({
    mutationFn: (identity: string) => {
      const params = { path: { id, identity } };
      return asked(api.DELETE("/api/v1/contacts/{id}/identities/{identity}", { params }));
    },
    onSuccess: again,
  });
  const error = giving.error ?? taking.error;
  return (
    <Group title={t("contacts.reach")} text={t("contacts.reachText")}>
      <ul className={parts.things}>
        {contact.identities.map((identity) => (
          <li key={identity.id}>
            <span>{isKnown(identity.kind) ? t(`identity.${identity.kind}`) : identity.kind}</span>
            <strong>{identity.external_id}</strong>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t("contacts.takeId", { id: identity.external_id })}
              onClick={() => taking.mutate(identity.id)}
            >
              <IconX size={15} />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <div className={parts.adding}>
        <Select
          aria-label={t("contacts.kind")}
          data={KINDS.map((value) => ({ value, label: t(`identity.${value}`) }))}
          value={kind}
          allowDeselect={false}
          onChange={(value) => setKind((value ?? "phone") as Kind)}
        />
        <TextInput
          aria-label={t("contacts.newId")}
          placeholder={t("contacts.newId")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button
          variant="default"
          disabled={text.trim() === ""}
          loading={giving.isPending}
          onClick={() => giving.mutate()}
        >
          {t("contacts.give")}
        </Button>
      </div>
      {error !== null && (
        <p className={parts.wrong} role="alert">
          {why(error)}
        </p>
      )}
    </Group>
  );
}
