import { Button, Skeleton, TextInput } from "@mantine/core";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useDeferredValue, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "../../../parts/empty";
import { useWhy } from "../../../parts/notices";
import { matches } from "./matches";
import { Head } from "./page";
import css from "./parts.module.css";
import { type Listed, listed, NEW } from "./resource";

type Column<One> = { name: string; of: (one: One) => ReactNode; narrow?: boolean };

type Props<One> = {
  resource: Listed<One>;
  /** Under which address each of them stands; they have none of their own where it is not given. */
  section?: string;
  title: string;
  text: string;
  icon: ReactNode;
  /** What the button says that makes another one. */
  add?: string;
  nothing: { title: string; text: string };
  /** What the first column is called; the name, when not given. */
  first?: string;
  /** What a row is called. */
  name: (one: One) => string;
  /** What else is found by. */
  words?: (one: One) => string;
  columns: readonly Column<One>[];
  /** What stands beside the button that adds. */
  actions?: ReactNode;
  /** What stands between the head and the list. */
  below?: ReactNode;
  /** Whether the program was asked for some of them only: nothing is offered then where there are none. */
  isSought?: boolean;
  /** How often it is asked anew, in milliseconds: for what nobody tells. */
  every?: number;
};

/** All of one kind: found by a few letters, opened by a row. */
export function List<One extends { id: string }>(props: Props<One>) {
  const { resource, section, add, nothing, columns } = props;
  const { t } = useTranslation("settings");
  const [sought, setSought] = useState("");
  const wanted = useDeferredValue(sought);
  const found = useInfiniteQuery({
    ...listed(resource),
    refetchInterval: props.every ?? false,
  });
  const { hasNextPage, isFetching, fetchNextPage } = found;
  // What is sought may stand on any page.
  useEffect(() => {
    if (wanted !== "" && hasNextPage && !isFetching) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, fetchNextPage]);
  const all = found.data?.pages.flatMap((page) => page.items) ?? [];
  const shown = all.filter((one) =>
    matches(`${props.name(one)} ${props.words?.(one) ?? ""}`, wanted),
  );
  const adds = add !== undefined && section !== undefined && (
    <AddButton section={section}>{add}</AddButton>
  );
  return (
    <div className={css.page}>
      <Head title={props.title} text={props.text}>
        {props.actions}
        {adds}
      </Head>
      {props.below}
      {props.isSought === undefined && (all.length > SEARCH_FROM || sought !== "") && (
        <TextInput
          className={css.search}
          aria-label={t("search")}
          placeholder={t("search")}
          leftSection={<IconSearch size={16} />}
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
      )}
      {found.isPending && <Loading />}
      {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
      {found.isSuccess && all.length === 0 && props.isSought && (
        <p className={css.none}>{t("nothing")}</p>
      )}
      {found.isSuccess && all.length === 0 && !props.isSought && (
        <Empty icon={props.icon} title={nothing.title} text={nothing.text}>
          {adds}
        </Empty>
      )}
      {all.length > 0 && shown.length === 0 && !hasNextPage && (
        <p className={css.none}>{t("noMatch", { text: wanted })}</p>
      )}
      {shown.length > 0 && (
        <Table
          rows={shown}
          columns={columns}
          first={props.first ?? t("name")}
          name={props.name}
          section={section}
        />
      )}
      {hasNextPage && wanted === "" && (
        <Button
          className={css.more}
          variant="default"
          loading={isFetching}
          onClick={() => void fetchNextPage()}
        >
          {t("more")}
        </Button>
      )}
    </div>
  );
}

/** A list that is shorter is seen whole. */
const SEARCH_FROM = 6;

export function AddButton({ section, children }: { section: string; children: ReactNode }) {
  return (
    <Button
      leftSection={<IconPlus size={17} />}
      renderRoot={(props) => (
        <Link to="/settings/$section/$id" params={{ section, id: NEW }} {...props} />
      )}
    >
      {children}
    </Button>
  );
}

function Table<One extends { id: string }>({
  rows,
  columns,
  first,
  name,
  section,
}: {
  rows: readonly One[];
  first: string;
  columns: readonly Column<One>[];
  name: (one: One) => string;
  section: string | undefined;
}) {
  const narrow = (is?: boolean) => (is ? "true" : undefined);
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th scope="col">{first}</th>
          {columns.map((column) => (
            <th key={column.name} scope="col" data-narrow={narrow(column.narrow)}>
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.id}>
            <th scope="row">
              {section === undefined ? (
                name(one)
              ) : (
                <Link
                  className={css.open}
                  to="/settings/$section/$id"
                  params={{ section, id: one.id }}
                >
                  {name(one)}
                </Link>
              )}
            </th>
            {columns.map((column) => (
              <td key={column.name} data-narrow={narrow(column.narrow)}>
                {column.of(one)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Loading() {
  return (
    <div className={css.ghosts} aria-hidden="true">
      {["a", "b", "c", "d", "e"].map((one) => (
        <Skeleton key={one} height={20} />
      ))}
    </div>
  );
}

export function Failed({ error, again }: { error: unknown; again: () => void }) {
  const { t } = useTranslation();
  const why = useWhy();
  return (
    <Empty title={t("failed.load")} text={why(error)}>
      <Button variant="default" onClick={again}>
        {t("failed.retry")}
      </Button>
    </Empty>
  );
}
