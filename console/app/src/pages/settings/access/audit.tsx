import { Button, Select, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { session } from "../../../api/questions";
import { Empty } from "../../../parts/empty";
import {
  channels,
  devices,
  flows,
  numbers,
  profiles,
  prompts,
  skills,
  trunks,
  users,
} from "../kept";
import { Failed, Loading } from "../parts/list";
import { Head } from "../parts/page";
import parts from "../parts/parts.module.css";
import { all, type Listed, listed, resource } from "../parts/resource";
import css from "./audit.module.css";
import { type Change, changes, deed, type Line, nameOf, SECTION_OF } from "./deeds";

const PAGE = 200;

const audit = {
  key: "audit",
  page: (after?: string) => {
    const query = { limit: PAGE, ...(after === undefined ? {} : { after }) };
    return asked(api.GET("/api/v1/audit", { params: { query } }));
  },
};

/** Where the names are of what the log tells by ids. */
const NAMED = [
  users,
  resource("/api/v1/services"),
  devices,
  numbers,
  trunks,
  flows,
  prompts,
  channels,
  skills,
  profiles,
  resource("/api/v1/pauses"),
  resource("/api/v1/calendars"),
  resource("/api/v1/webhooks"),
] as unknown as readonly Listed<{ id: string; name?: string; username?: string }>[];

/** Who did what, the newest first. */
export function Audit() {
  const { t } = useTranslation("settings");
  const found = useInfiniteQuery(listed<Line>(audit));
  const { data: me } = useQuery(session);
  const known = useKnown();
  const [who, setWho] = useState<string | null>(null);
  const [what, setWhat] = useState<string | null>(null);
  const [open, setOpen] = useState<string>();
  const lines = found.data?.pages.flatMap((page) => page.items) ?? [];
  const named = nameOf(lines, known);
  const by = (line: Line) =>
    (line.user == null ? "" : line.user === me?.user ? me.name : known.get(line.user)) ||
    t(
      line.api_key != null
        ? "audit.key"
        : line.user == null
          ? "audit.system"
          : "audit.installation",
    );
  const kind = (line: Line) =>
    t(`audit.kind.${deed(line).noun}` as "audit.kind.user", deed(line).noun);
  const shown = lines.filter(
    (line) => (who === null || by(line) === who) && (what === null || kind(line) === what),
  );
  const each = (of: (line: Line) => string) =>
    [...new Set(lines.map(of))].sort((a, b) => a.localeCompare(b));
  const filter = (label: string, data: string[], value: string | null, set: typeof setWho) => (
    <Select
      aria-label={label}
      placeholder={label}
      data={data}
      value={value}
      clearable
      searchable={data.length > 8}
      nothingFoundMessage={t("nothing")}
      clearButtonProps={{ "aria-label": t("clear") }}
      onChange={set}
    />
  );
  return (
    <div className={parts.page}>
      <Head title={t("section.audit")} text={t("audit.text")} />
      <div className={parts.filters}>
        {filter(t("audit.who"), each(by), who, setWho)}
        {filter(t("audit.what"), each(kind), what, setWhat)}
      </div>
      {found.isPending && <Loading />}
      {found.isError && <Failed error={found.error} again={() => void found.refetch()} />}
      {found.isSuccess && lines.length === 0 && (
        <Empty
          icon={<IconHistory size={36} stroke={1.4} />}
          title={t("audit.none")}
          text={t("audit.noneText")}
        />
      )}
      {found.isSuccess && lines.length > 0 && shown.length === 0 && (
        <p className={parts.none}>{t("nothing")}</p>
      )}
      {shown.length > 0 && (
        <table className={`${parts.table} ${css.table}`}>
          <thead>
            <tr>
              <th scope="col">{t("audit.when")}</th>
              <th scope="col">{t("audit.who")}</th>
              <th scope="col">{t("audit.what")}</th>
              <th scope="col" data-narrow="true">
                {t("audit.from")}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <Fragment key={line.id}>
                <Row
                  line={line}
                  by={by(line)}
                  name={named(line.target)}
                  isOpen={open === line.id}
                  toggle={() => setOpen(open === line.id ? undefined : line.id)}
                />
                {open === line.id && (
                  <tr>
                    <td colSpan={4}>
                      <Particulars line={line} changed={changes(line, lines)} named={named} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
      {found.hasNextPage && (
        <Button
          className={parts.more ?? ""}
          variant="default"
          loading={found.isFetching}
          onClick={() => void found.fetchNextPage()}
        >
          {t("more")}
        </Button>
      )}
    </div>
  );
}

/** The names of all that has one, by their ids. What somebody may not read stays without. */
function useKnown(): ReadonlyMap<string, string> {
  return useQueries({
    queries: NAMED.map((one) => all(one)),
    combine: (found) =>
      new Map(
        found.flatMap(({ data }) =>
          (data ?? []).map((one) => [one.id, one.name ?? one.username ?? ""] as const),
        ),
      ),
  });
}

type RowProps = { line: Line; by: string; name: string; isOpen: boolean; toggle: () => void };

function Row({ line, by, name, isOpen, toggle }: RowProps) {
  const { i18n } = useTranslation("settings");
  const said = useSaid();
  const format = new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "short",
    timeStyle: "medium",
  });
  const Sign = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <tr>
      <td className={css.when}>{format.format(line.at_ms)}</td>
      <td>{by}</td>
      <td>
        <UnstyledButton className={css.what} aria-expanded={isOpen} onClick={toggle}>
          <Sign size={15} aria-hidden="true" />
          <span>
            {said(line)} {name !== "" && deed(line).noun !== "session" && <strong>{name}</strong>}
          </span>
        </UnstyledButton>
      </td>
      <td data-narrow="true">{line.remote}</td>
    </tr>
  );
}

/** What was done, in words: a sentence of its own where there is one, else what is done with everything. */
function useSaid() {
  const { t, i18n } = useTranslation("settings");
  return (line: Line) => {
    const { noun, verb } = deed(line);
    const own = `audit.deed.${noun}.${verb}`;
    if (i18n.exists(own, { ns: "settings" })) return t(own as "audit.deed.session.begin");
    const done = `audit.verb.${verb}`;
    if (!i18n.exists(done, { ns: "settings" })) return line.action;
    return `${t(done as "audit.verb.create")} ${t(`audit.thing.${noun}` as "audit.thing.user", noun)}`;
  };
}

type ParticularsProps = {
  line: Line;
  changed: readonly Change[];
  named: (id: string) => string;
};

/** What was so before and after, for people; and what the program itself calls it all. */
function Particulars({ line, changed, named }: ParticularsProps) {
  const { t, i18n } = useTranslation("settings");
  const section = SECTION_OF[deed(line).noun];
  const isThere = deed(line).verb !== "delete" && section !== undefined;
  const word = (key: string, value: string) =>
    i18n.exists(key, { ns: "settings" }) ? t(key as "audit.is.agent") : value;
  const value = (is: unknown): string => {
    if (is === null || is === undefined || is === "") return "–";
    if (typeof is === "boolean") return t(is ? "audit.yes" : "audit.no");
    if (typeof is === "string") return named(is) || word(`audit.is.${is}`, is);
    if (Array.isArray(is)) return is.length === 0 ? "–" : is.map(value).join(", ");
    if (typeof is === "object" && "level" in is) {
      const { level, scope } = is as { level: string; scope?: string };
      return [level, ...(scope === undefined ? [] : [scope])].map(value).join(", ");
    }
    if (typeof is === "object") {
      return Object.entries(is)
        .map(([field, below]) => `${word(`profiles.area.${field}`, field)}: ${value(below)}`)
        .join("; ");
    }
    return String(is);
  };
  return (
    <div className={css.particulars}>
      {changed.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t("audit.field")}</th>
              <th scope="col">{t("audit.before")}</th>
              <th scope="col">{t("audit.after")}</th>
            </tr>
          </thead>
          <tbody>
            {changed.map(({ field, was, is }) => (
              <tr key={field}>
                <th scope="row">{word(`audit.fields.${field}`, field)}</th>
                <td>{value(was)}</td>
                <td>{value(is)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {isThere && (
        <Link
          className={parts.back}
          to="/settings/$section/$id"
          params={{ section, id: line.target }}
        >
          {t("audit.open")}
        </Link>
      )}
      <p className={css.raw}>
        <code>{line.action}</code> <code>{line.target}</code>
        {changed.length === 0 && Object.keys(line.detail).length > 0 && (
          <code>{JSON.stringify(line.detail)}</code>
        )}
      </p>
    </div>
  );
}
