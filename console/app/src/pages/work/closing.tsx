import { Button, Modal, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Work } from "../../api/client";
import { work as question } from "../../api/questions";
import { notice, useWhy } from "../../parts/notices";
import css from "./closing.module.css";
import { type Field, type Leaf, leaves } from "./dispositions";
import { keepDraft } from "./drafts";

type Props = { work: Work; isWritten: boolean; close: () => void };

/** The end of an interaction: how it ended, where that is asked. */
export function Closing({ work, isWritten, close }: Props) {
  const { t } = useTranslation();
  const all = leaves(work.dispositions);
  return (
    <Modal
      opened
      onClose={close}
      title={all.length > 0 ? t("close.title") : t("close.plain")}
      closeButtonProps={{ "aria-label": t("failed.close") }}
    >
      {all.length > 0 ? (
        <Choosing work={work} all={all} close={close} />
      ) : (
        <Plain work={work} isWritten={isWritten} close={close} />
      )}
    </Modal>
  );
}

function useEnd(work: Work, close: () => void) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const why = useWhy();
  return useMutation({
    mutationFn: async (end: () => Promise<unknown>) => {
      await end();
      await client.invalidateQueries({ queryKey: question.queryKey });
    },
    onSuccess: () => {
      keepDraft(work.interaction, "");
      const isUp = work.medium === "phone" && work.doing === "handling";
      notice(isUp ? t("close.kept") : t("close.done"));
      close();
    },
    onError: (error) => notice(why(error)),
  });
}

function Plain({ work, isWritten, close }: Props) {
  const { t } = useTranslation();
  const end = useEnd(work, close);
  const params = { path: { id: work.work } };
  return (
    <div className={css.form}>
      {isWritten && <p>{t("close.plainText")}</p>}
      <div className={css.foot}>
        <Button variant="default" onClick={close}>
          {t("close.cancel")}
        </Button>
        <Button
          data-autofocus
          loading={end.isPending}
          onClick={() =>
            end.mutate(() => asked(api.POST("/api/v1/work/{id}/end-wrap-up", { params })))
          }
        >
          {t("close.confirm")}
        </Button>
      </div>
    </div>
  );
}

function Choosing({ work, all, close }: { work: Work; all: readonly Leaf[]; close: () => void }) {
  const { t } = useTranslation();
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<Leaf>();
  const [given, setGiven] = useState<Readonly<Record<string, string>>>({});
  const [note, setNote] = useState("");
  const [isTried, setIsTried] = useState(false);
  const end = useEnd(work, close);
  // Of a call that goes on it is only said how it will have ended.
  const isUp = work.medium === "phone" && work.doing === "handling";
  const sought = search.trim().toLowerCase();
  const found = all.filter((leaf) => leaf.path.join(" ").toLowerCase().includes(sought));
  const isMissing = (field: Field) => field.required && (given[field.name] ?? "").trim() === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setIsTried(true);
    if (chosen === undefined || chosen.fields.some(isMissing)) return;
    const fields = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value.trim() !== ""),
    );
    const params = { path: { id: work.work } };
    const body = { disposition: chosen.id, fields, note: note.trim() };
    end.mutate(() => asked(api.POST("/api/v1/work/{id}/disposition", { params, body })));
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <TextInput
        data-autofocus
        aria-label={t("close.search")}
        placeholder={t("close.search")}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <ul className={css.list}>
        {found.map((leaf) => (
          <li key={leaf.id}>
            <UnstyledButton
              className={css.leaf}
              aria-pressed={chosen?.id === leaf.id}
              onClick={() => setChosen(leaf)}
            >
              {leaf.path.length > 1 && <small>{leaf.path.slice(0, -1).join(" › ")}</small>}
              {leaf.path.at(-1)}
            </UnstyledButton>
          </li>
        ))}
        {found.length === 0 && <li className={css.none}>{t("close.none")}</li>}
      </ul>
      {chosen?.fields.map((field) => (
        <TextInput
          key={field.name}
          label={field.name}
          required={field.required}
          list={field.choices.length > 0 ? `choices of ${field.name}` : undefined}
          inputMode={field.isNumber ? "decimal" : "text"}
          error={isTried && isMissing(field) && t("close.required")}
          value={given[field.name] ?? ""}
          onChange={({ currentTarget: { value } }) =>
            setGiven((before) => ({ ...before, [field.name]: value }))
          }
        />
      ))}
      <TextInput
        label={t("close.note")}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div className={css.foot}>
        <Button variant="default" onClick={close}>
          {t("close.cancel")}
        </Button>
        <Button type="submit" disabled={chosen === undefined} loading={end.isPending}>
          {isUp ? t("close.keep") : t("close.confirm")}
        </Button>
      </div>
      {chosen?.fields.map((field) => (
        <datalist key={field.name} id={`choices of ${field.name}`}>
          {field.choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      ))}
    </form>
  );
}
