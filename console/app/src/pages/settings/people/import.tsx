import { Button } from "@mantine/core";
import { IconDownload, IconTableImport } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { useWhy } from "../../../parts/notices";
import { profiles, users } from "../kept";
import { Head, State } from "../parts/page";
import parts from "../parts/parts.module.css";
import { all } from "../parts/resource";
import { services } from "../services/resource";
import css from "./import.module.css";
import {
  COLUMNS,
  type Fault,
  fold,
  judge,
  LINES_MAX,
  type Person,
  quoted,
  read,
  text,
  write,
} from "./table";

type Taken = { name: string; people: readonly Person[] | null };

/** Many people at once, from a table: seen before they are taken, with what is wrong in which line. */
export function ImportUsers() {
  const { t } = useTranslation("settings");
  const [taken, setTaken] = useState<Taken>();
  const client = useQueryClient();
  const why = useWhy();
  const importing = useMutation({
    mutationFn: (people: readonly Person[]) => {
      const init = { params: {}, body: write(people), bodySerializer: (table: string) => table };
      const headers = { "content-type": "text/csv" };
      return asked(api.POST("/api/v1/users/import", { ...init, headers }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: [users.key] }),
  });
  const faults = useFaults(taken?.people ?? [], importing.data);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    importing.reset();
    setTaken({ name: file.name, people: read(await text(file)) });
  };
  const people = taken?.people ?? [];
  const good = people.length - people.filter(({ line }) => faults.has(line)).length;
  return (
    <div className={parts.page}>
      <Head
        title={t("people.title")}
        text={t("people.text")}
        back={{ section: "users", name: t("section.users") }}
      >
        <Button
          variant="default"
          component="a"
          download="usuarios.csv"
          href={fileOf(t("people.example"))}
          leftSection={<IconDownload size={16} />}
        >
          {t("people.model")}
        </Button>
      </Head>
      <Drop take={take} name={taken?.name} />
      {taken?.people === null && (
        <p className={parts.wrong} role="alert">
          {t("people.noTable")}
        </p>
      )}
      {people.length > LINES_MAX && (
        <p className={parts.wrong} role="alert">
          {t("people.tooMany", { count: LINES_MAX })}
        </p>
      )}
      {importing.error !== null && (
        <p className={parts.wrong} role="alert">
          {why(importing.error)}
        </p>
      )}
      {importing.data !== undefined && <Made people={people} made={importing.data.made} />}
      {people.length > 0 && (
        <>
          <div className={css.bar}>
            <p role="status">
              {t("people.lines", { count: people.length })}
              {faults.size > 0 && ` · ${t("people.wrong", { count: faults.size })}`}
            </p>
            {importing.data === undefined && (
              <Button
                disabled={good === 0 || people.length > LINES_MAX}
                loading={importing.isPending}
                onClick={() => importing.mutate(people)}
              >
                {t("people.take", { count: good })}
              </Button>
            )}
          </div>
          <Preview people={people} faults={faults} isDone={importing.data !== undefined} />
        </>
      )}
    </div>
  );
}

/** What is wrong with each line: what the program said, else what can be known before it is asked. */
function useFaults(
  people: readonly Person[],
  done: Schemas["PeopleImported"] | undefined,
): ReadonlyMap<number, Fault> {
  const names = (found: readonly { name: string }[] = []) =>
    new Set(found.map(({ name }) => fold(name)));
  const { data: here = [] } = useQuery(all(users));
  const { data: served } = useQuery(all(services));
  const { data: profiled } = useQuery(all(profiles));
  if (done !== undefined) return new Map(done.refusals.map((one) => [one.line, one]));
  return judge(people, {
    emails: new Set(here.map(({ email }) => fold(email))),
    services: names(served),
    profiles: names(profiled),
  });
}

function Drop({
  take,
  name,
}: {
  take: (file: File | undefined) => void;
  name: string | undefined;
}) {
  const { t } = useTranslation("settings");
  const [isOver, setIsOver] = useState(false);
  const over = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: who has no mouse has the field within.
    <div
      className={css.drop}
      data-over={isOver}
      onDragOver={over}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer.files[0]);
      }}
    >
      <IconTableImport size={30} stroke={1.4} aria-hidden="true" />
      <p>{name ?? t("people.drop")}</p>
      <Button component="label" variant="default" size="xs">
        {t("people.choose")}
        <input
          type="file"
          className="unseen"
          accept=".csv,text/csv"
          onChange={({ currentTarget }) => {
            take(currentTarget.files?.[0]);
            // The same file once more, mended, is another one.
            currentTarget.value = "";
          }}
        />
      </Button>
    </div>
  );
}

type PreviewProps = {
  people: readonly Person[];
  faults: ReadonlyMap<number, Fault>;
  isDone: boolean;
};

function Preview({ people, faults, isDone }: PreviewProps) {
  const { t } = useTranslation("settings");
  const shown = COLUMNS.filter((column) => column !== "password");
  const why = ({ field, code }: Fault) => {
    const at = t(`people.column.${field as "name"}`, field);
    const known = code.startsWith("invalid") ? "invalid" : code;
    return `${at}: ${t(`people.why.${known as "taken"}`, t("people.why.other"))}`;
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section className={css.scroller} tabIndex={0} aria-label={t("people.preview")}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th scope="col">{t("people.line")}</th>
            {shown.map((column) => (
              <th key={column} scope="col">
                {t(`people.column.${column}`)}
              </th>
            ))}
            <th scope="col">{t("state")}</th>
          </tr>
        </thead>
        <tbody>
          {people.map(({ line, cells }) => {
            const fault = faults.get(line);
            return (
              <tr key={line}>
                <td>{line}</td>
                {shown.map((column) => (
                  <td key={column} data-wrong={fault?.field === column}>
                    {cells[column]}
                  </td>
                ))}
                <td>
                  <State is={fault === undefined ? "good" : "bad"}>
                    {fault === undefined ? t(isDone ? "people.made" : "people.fine") : why(fault)}
                  </State>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

type MadeProps = { people: readonly Person[]; made: Schemas["PeopleImported"]["made"] };

/** Who was added; passwords that were made up are taken along now or never. */
function Made({ people, made }: MadeProps) {
  const { t } = useTranslation("settings");
  const given = made.filter(({ password }) => password != null);
  const nameOf = (email: string) =>
    people.find(({ cells }) => fold(cells.email ?? "") === fold(email))?.cells.name ?? "";
  const head = [t("name"), t("users.email"), t("users.password")];
  const rows = given.map(({ email, password }) => [nameOf(email), email, password ?? ""]);
  const table = [head, ...rows].map((row) => row.map(quoted).join(";")).join("\n");
  return (
    <div className={css.made} role="status">
      <p>{t("people.done", { count: made.length })}</p>
      {given.length > 0 && (
        <>
          <p>{t("people.once")}</p>
          <Button
            component="a"
            download="senhas.csv"
            href={fileOf(table)}
            leftSection={<IconDownload size={16} />}
          >
            {t("people.passwords", { count: given.length })}
          </Button>
        </>
      )}
    </div>
  );
}

/** A table as a file that spreadsheets open with its letters as they are. */
function fileOf(table: string): string {
  return `data:text/csv;charset=utf-8,${encodeURIComponent(`\uFEFF${table}`)}`;
}
