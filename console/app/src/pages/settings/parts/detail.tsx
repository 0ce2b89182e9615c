import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Refused } from "../../../api/client";
import { notice } from "../../../parts/notices";
import { type Form, useForm } from "./form";
import { Guard } from "./guard";
import { Failed } from "./list";
import { Head } from "./page";
import css from "./parts.module.css";
import { Remove } from "./remove";
import { NEW, one, type Resource } from "./resource";
import { SaveBar } from "./save";

type Kept = { id: string };

export type DetailProps<One extends Kept, Body extends object, New extends Kept> = {
  resource: Resource<One, Body, New>;
  section: string;
  id: string;
  /** The list that it is of. */
  list: string;
  /** What one is called that is not there yet. */
  added: string;
  name: (one: One) => string;
  /** What a new one begins with. */
  empty: Body;
  /** What can be set of one: all but what the program sets itself, when not given. */
  body?: (one: One) => Body;
  /** What is said before it is removed: where it is used, what becomes of it. It cannot be, where this is not given. */
  remove?: (one: One) => ReactNode;
  /** Once it is made: what is shown this one time. */
  made?: (made: New) => void;
  actions?: (one: One) => ReactNode;
  /** What is wrong before the program is asked: it takes what nobody can use. */
  check?: (body: Body) => Refused | undefined;
  /** How often it is asked anew, in milliseconds: for what nobody tells. */
  every?: number;
  children: (form: Form<Body>, one: One | undefined) => ReactNode;
};

/** One of a list, with an address of its own: read, changed, made or removed. */
export function Detail<One extends Kept, Body extends object, New extends Kept>(
  props: DetailProps<One, Body, New>,
) {
  const { resource, id, section, list } = props;
  const found = useQuery({ ...one(resource, id), refetchInterval: props.every ?? false });
  if (id === NEW) return <Editor {...props} key={NEW} one={undefined} />;
  if (found.data !== undefined) return <Editor {...props} key={id} one={found.data} />;
  return (
    <div className={css.page}>
      {found.isError ? (
        <>
          <Head title={list} back={{ section, name: list }} />
          <Failed error={found.error} again={() => void found.refetch()} />
        </>
      ) : (
        <div className={css.ghosts} aria-hidden="true">
          <Skeleton height={28} width={220} mb={24} />
          <Skeleton height={60} />
          <Skeleton height={60} />
        </div>
      )}
    </div>
  );
}

/** What the program sets of everything, and nobody else. */
const ITS_OWN = new Set(["id", "company", "created_ms", "updated_ms"]);

function settable<One extends object, Body>(one: One): Body {
  const entries = Object.entries(one).filter(([name]) => !ITS_OWN.has(name));
  return Object.fromEntries(entries) as Body;
}

function Editor<One extends Kept, Body extends object, New extends Kept>(
  props: DetailProps<One, Body, New> & { one: One | undefined },
) {
  const { t } = useTranslation("settings");
  const { resource, section, list, one: kept } = props;
  const form = useForm<Body>(kept === undefined ? props.empty : (props.body ?? settable)(kept));
  const client = useQueryClient();
  const navigate = useNavigate();
  const saving = useMutation({
    mutationFn: async () => {
      const wrong = props.check?.(form.value);
      if (wrong !== undefined) throw wrong;
      if (kept !== undefined) return { kept: await resource.change(kept.id, form.value) };
      return { made: await resource.create(form.value) };
    },
    onSuccess: async ({ kept: changed, made }) => {
      if (changed !== undefined) client.setQueryData([resource.key, "one", changed.id], changed);
      form.reset();
      void client.invalidateQueries({ queryKey: [resource.key] });
      notice(t("saved"));
      if (made === undefined) return;
      props.made?.(made);
      const params = { section, id: made.id };
      await navigate({ to: "/settings/$section/$id", params, replace: true, ignoreBlocker: true });
    },
    onError: form.refuse,
  });
  return (
    <form
      className={css.page}
      onSubmit={(event) => {
        event.preventDefault();
        if (!saving.isPending) saving.mutate();
      }}
      noValidate
    >
      <Guard isChanged={form.isChanged && !saving.isPending} />
      <Head
        title={kept === undefined ? props.added : props.name(kept)}
        back={{ section, name: list }}
      >
        {kept !== undefined && props.actions?.(kept)}
      </Head>
      {props.children(form, kept)}
      {kept !== undefined && props.remove !== undefined && (
        <Remove
          name={props.name(kept)}
          what={props.remove(kept)}
          remove={() => resource.remove(kept.id)}
          done={async () => {
            const params = { section };
            await navigate({ to: "/settings/$section", params, ignoreBlocker: true });
            client.removeQueries({ queryKey: [resource.key, "one", kept.id] });
            await client.invalidateQueries({ queryKey: [resource.key] });
          }}
        />
      )}
      <SaveBar
        isShown={form.isChanged || kept === undefined}
        isChanged={form.isChanged}
        isSaving={saving.isPending}
        error={saving.error}
      >
        {kept !== undefined && (
          <Button variant="default" disabled={saving.isPending} onClick={form.reset}>
            {t("discard")}
          </Button>
        )}
      </SaveBar>
    </form>
  );
}
