import { Button, Select } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { Empty } from "../../../parts/empty";
import { users } from "../kept";
import { Failed, Loading } from "../parts/list";
import { Head } from "../parts/page";
import parts from "../parts/parts.module.css";
import { all, listed } from "../parts/resource";

const PAGE = 200;

const audit = {
  key: "audit",
  page: (after?: string) => {
    const query = { limit: PAGE, ...(after === undefined ? {} : { after }) };
    return asked(api.GET("/api/v1/audit", { params: { query } }));
  },
};

type Line = Schemas["AuditLine"];

/** Who did what, the newest first. */
export function Audit() {
  const { t, i18n } = useTranslation("settings");
  const found = useInfiniteQuery(listed<Line>(audit));
  const people = useQuery(all(users));
  const [who, setWho] = useState<string | null>(null);
  const [what, setWhat] = useState<string | null>(null);
  const lines = found.data?.pages.flatMap((page) => page.items) ?? [];
  const name = (line: Line) =>
    people.data?.find(({ id }) => id === line.user)?.name ??
    t(
      line.api_key != null
        ? "audit.key"
        : line.user == null
          ? "audit.system"
          : "audit.installation",
    );
  const shown = lines.filter(
    (line) => (who === null || name(line) === who) && (what === null || noun(line) === what),
  );
  const each = (of: (line: Line) => string) => [...new Set(lines.map(of))].sort();
  const format = new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "short",
    timeStyle: "medium",
  });
  return (
    <div className={parts.page}>
      <Head title={t("section.audit")} text={t("audit.text")} />
      <div className={parts.filters}>
        <Select
          aria-label={t("audit.who")}
          placeholder={t("audit.who")}
          data={each(name)}
          value={who}
          clearable
          clearButtonProps={{ "aria-label": t("clear") }}
          onChange={setWho}
        />
        <Select
          aria-label={t("audit.what")}
          placeholder={t("audit.what")}
          data={each(noun)}
          value={what}
          clearable
          clearButtonProps={{ "aria-label": t("clear") }}
          onChange={setWhat}
        />
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
      {shown.length > 0 && (
        <table className={parts.table}>
          <thead>
            <tr>
              <th scope="col">{t("audit.when")}</th>
              <th scope="col">{t("audit.who")}</th>
              <th scope="col">{t("audit.what")}</th>
              <th scope="col" data-narrow="true">
                {t("audit.detail")}
              </th>
              <th scope="col" data-narrow="true">
                {t("audit.from")}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <tr key={line.id}>
                <td>{format.format(line.at_ms)}</td>
                <td>{name(line)}</td>
                <td>
                  <code>{line.action}</code>
                </td>
                <td data-narrow="true">
                  <span className={parts.cut}>{detail(line)}</span>
                </td>
                <td data-narrow="true">{line.remote}</td>
              </tr>
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

/** What it was about: `trunk` of `trunk.update`. */
function noun({ action }: Line): string {
  return action.split(".")[0] ?? action;
}

function detail({ detail, target }: Line): string {
  const said = Object.values(detail).filter(
    (one) => typeof one === "string" || typeof one === "number",
  );
  return said.length > 0 ? said.join(" · ") : target;
}
