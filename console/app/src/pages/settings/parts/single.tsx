import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { notice } from "../../../parts/notices";
import { type Form, useForm } from "./form";
import { Guard } from "./guard";
import { Failed, Loading } from "./list";
import { Head } from "./page";
import css from "./parts.module.css";
import { SaveBar } from "./save";

type Props<T extends object> = {
  title: string;
  text: string;
  /** By which it is asked anew. */
  name: string;
  read: () => Promise<T>;
  write: (value: T) => Promise<T>;
  above?: ReactNode;
  children: (form: Form<T>) => ReactNode;
};

/** What there is one of: read and changed, never made or removed. */
export function Single<T extends object>(props: Props<T>) {
  const found = useQuery({ queryKey: [props.name], queryFn: props.read });
  if (found.data !== undefined) return <Editor {...props} kept={found.data} />;
  return (
    <div className={css.page}>
      <Head title={props.title} text={props.text} />
      {props.above}
      {found.isError ? (
        <Failed error={found.error} again={() => void found.refetch()} />
      ) : (
        <Loading />
      )}
    </div>
  );
}

function Editor<T extends object>({
  title,
  text,
  name,
  write,
  above,
  children,
  kept,
}: Props<T> & { kept: T }) {
  const { t } = useTranslation("settings");
  const form = useForm(kept);
  const client = useQueryClient();
  const saving = useMutation({
    mutationFn: () => write(form.value),
    onSuccess: (changed) => {
      client.setQueryData([name], changed);
      form.reset();
      notice(t("saved"));
    },
    onError: form.refuse,
  });
  return (
    <form
      className={css.page}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!saving.isPending) saving.mutate();
      }}
    >
      <Guard isChanged={form.isChanged && !saving.isPending} />
      <Head title={title} text={text} />
      {above}
      {children(form)}
      <SaveBar
        isShown={form.isChanged}
        isChanged={form.isChanged}
        isSaving={saving.isPending}
        error={saving.error}
      >
        <Button variant="default" disabled={saving.isPending} onClick={form.reset}>
          {t("discard")}
        </Button>
      </SaveBar>
    </form>
  );
}
