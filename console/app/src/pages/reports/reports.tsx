import { Button, Skeleton } from "@mantine/core";
import { IconChartBar, IconDownload, IconPrinter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { serverNow } from "../../api/client";
import { Empty } from "../../parts/empty";
import { MEDIA } from "../trace/address";
import { Choice } from "../trace/choice";
import { useServices } from "../trace/names";
import { Period } from "../trace/period";
import { KINDS, type Kind, type Wanted } from "./address";
import { Bars, Columns } from "./chart";
import {
  change,
  headlines,
  isBetter,
  MEASURES,
  type Row,
  type Windows,
  whole,
  windows,
} from "./figures";
import { useFormat } from "./format";
import { figures, table } from "./questions";
import css from "./reports.module.css";
import { Surveys } from "./surveys";
import { Figures } from "./table";

/** What was done in a time, counted by whatever one asks for. */
export function Reports() {
  const { t } = useTranslation();
  const { t: say, i18n } = useTranslation("supervision");
  const wanted = useSearch({ from: "/inside/reports" });
  const by = wanted.by ?? "services";
  const times = useMemo(() => windows(wanted, serverNow()), [wanted]);
  useEffect(() => {
    document.title = `${say("reports.title")} · ${t("name")}`;
  }, [t, say]);
  const day = new Intl.DateTimeFormat(i18n.language, { dateStyle: "long" });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <div className={css.page} tabIndex={0}>
      <header className={css.head}>
        <div className={css.titled}>
          <h1>{say("reports.title")}</h1>
          <p>{day.formatRange(...times.shown)}</p>
        </div>
        <div className={css.actions}>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPrinter size={16} stroke={1.7} />}
            onClick={() => window.print()}
          >
            {say("reports.print")}
          </Button>
          <Button
            size="xs"
            variant="default"
            component="a"
            download
            href={table(by, wanted, times.now)}
            leftSection={<IconDownload size={16} stroke={1.7} />}
          >
            {say("trace.csv")}
          </Button>
        </div>
      </header>
      <Asking wanted={wanted} by={by} />
      {by === "surveys" ? (
        <Surveys wanted={wanted} times={times} />
      ) : (
        <Report by={by} wanted={wanted} times={times} />
      )}
    </div>
  );
}

function Asking({ wanted, by }: { wanted: Wanted; by: Kind }) {
  const { t: say } = useTranslation("supervision");
  const navigate = useNavigate();
  const all = useServices("reports");
  const set = (search: Wanted) => void navigate({ to: "/reports", search, replace: true });
  const of = (key: "service" | "medium") => ({
    value: wanted[key],
    choose: (chosen: string | undefined) => {
      const { [key]: _, ...rest } = wanted;
      set(chosen === undefined ? rest : { ...rest, [key]: chosen });
    },
  });
  return (
    <div className={css.asking}>
      <nav className={css.kinds} aria-label={say("reports.title")}>
        {KINDS.map((one) => (
          <Link
            key={one}
            to="/reports"
            search={{ ...wanted, by: one }}
            aria-current={one === by ? "page" : undefined}
          >
            {say(`reports.by.${one}`)}
          </Link>
        ))}
      </nav>
      <div className={css.filters}>
        <Period filters={wanted} set={(filters) => set({ ...wanted, ...filters })} />
        <Choice
          label={say("trace.column.service")}
          all={(all ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          {...of("service")}
        />
        <Choice
          label={say("reports.medium.label")}
          all={MEDIA.map((one) => ({ value: one, label: say(`reports.medium.${one}`) }))}
          {...of("medium")}
        />
      </div>
    </div>
  );
}

type ReportProps = { by: Exclude<Kind, "surveys">; wanted: Wanted; times: Windows };

function Report({ by, wanted, times }: ReportProps) {
  const { t } = useTranslation();
  const { t: say } = useTranslation("supervision");
  const { data: found, isError, refetch } = useQuery(figures(by, wanted, times.now));
  const { data: before } = useQuery(figures(by, wanted, times.before));
  if (isError) {
    return (
      <Empty title={t("failed.load")}>
        <Button variant="default" onClick={() => void refetch()}>
          {t("failed.retry")}
        </Button>
      </Empty>
    );
  }
  if (found === undefined) return <Loading />;
  const { items } = found;
  const total = whole(found);
  const isEmpty = total.arrived === 0 && total.handled === 0;
  const isInTime = by === "hours" || by === "days";
  return (
    <>
      <Headlines by={by} now={total} before={before === undefined ? undefined : whole(before)} />
      {isEmpty ? (
        <Empty
          icon={<IconChartBar size={40} stroke={1.3} />}
          title={say("reports.none")}
          text={say("reports.noneText")}
        />
      ) : isInTime ? (
        <Columns by={by} rows={items} before={before?.items} />
      ) : (
        <Bars by={by} rows={items} before={before?.items} />
      )}
      {!isEmpty && <Figures by={by} found={found} wanted={wanted} />}
    </>
  );
}

type HeadlinesProps = { by: Kind; now: Row; before: Row | undefined };

/** The figures of the whole, and how they changed. */
function Headlines({ by, now, before }: HeadlinesProps) {
  const { t: say } = useTranslation("supervision");
  const format = useFormat();
  return (
    <dl className={css.headlines}>
      {headlines(by).map((measure) => {
        const value = MEASURES[measure].is(now);
        const was = before === undefined ? null : MEASURES[measure].is(before);
        const changed = change(measure, value, was);
        const better = changed === null || changed === 0 ? null : isBetter(measure, changed);
        return (
          <div key={measure}>
            <dt>{say(`reports.measure.${measure}`)}</dt>
            <dd>
              {format.figure(measure, value)}
              <small data-better={better ?? undefined}>
                {changed === null
                  ? say("reports.noBefore")
                  : say("reports.before", { by: format.change(measure, changed) })}
              </small>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function Loading() {
  return (
    <div className={css.loading} aria-hidden="true">
      <Skeleton height={84} />
      <Skeleton height={240} />
      <Skeleton height={200} />
    </div>
  );
}
