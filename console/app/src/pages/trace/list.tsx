import { Button, Skeleton } from "@mantine/core";
import { IconZoomQuestion } from "@tabler/icons-react";
import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, memo, useCallback, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, serverNow } from "../../api/client";
import { Empty } from "../../parts/empty";
import { useShortcuts } from "../../parts/keys";
import { MediumIcon } from "../../parts/medium";
import { useNow } from "../../parts/time";
import type { Filters } from "./address";
import { narrows, type Query, query } from "./filters";
import css from "./list.module.css";
import { type Names, useNames } from "./names";
import { type Interaction, outcome, span, tone } from "./rows";
import { Tools } from "./tools";

/** As many rows as are asked for at once. */
const PAGE = 100;

/** The height of a row in pixels, as in the styles. */
const ROW = { wide: 46, narrow: 64 };

const pages = (asks: Query) =>
  infiniteQueryOptions({
    queryKey: ["interactions", asks],
    initialPageParam: "",
    // Each page that comes would be compared with all that are there, which takes longer than a frame.
    structuralSharing: false,
    queryFn: ({ pageParam }) => {
      const after = pageParam === "" ? {} : { after: pageParam };
      const params = { query: { ...asks, limit: PAGE, ...after } };
      return asked(api.GET("/api/v1/interactions", { params }));
    },
    getNextPageParam: ({ next }) => next ?? undefined,
  });

/** All interactions, found by what is known of them. */
export function Trace() {
  const { t } = useTranslation();
  const { t: say } = useTranslation("supervision");
  const filters = useSearch({ from: "/inside/trace" });
  const navigate = useNavigate();
  useEffect(() => {
    document.title = `${say("trace.title")} · ${t("name")}`;
  }, [t, say]);
  // The time is of when it was asked: what is looked at does not move by itself.
  const asks = useMemo(() => query(filters, serverNow()), [filters]);
  const found = useInfiniteQuery(pages(asks));
  const { data } = found;
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items), [data]);
  const set = (changed: Filters) => void navigate({ to: "/trace", search: changed, replace: true });
  return (
    <div className={css.page}>
      <Tools
        filters={filters}
        asks={asks}
        set={set}
        again={() => void found.refetch()}
        isAsking={found.isFetching}
      />
      {found.isError && rows === undefined && (
        <Empty title={t("failed.load")}>
          <Button variant="default" onClick={() => void found.refetch()}>
            {t("failed.retry")}
          </Button>
        </Empty>
      )}
      {rows === undefined && !found.isError && <Loading />}
      {rows?.length === 0 && (
        <Empty
          icon={<IconZoomQuestion size={40} stroke={1.3} />}
          title={say("trace.none")}
          text={narrows(filters) ? say("trace.noneText") : say("trace.noneYet")}
        >
          {filters.period !== "month" && (
            <Button variant="default" onClick={() => set({ ...filters, period: "month" })}>
              {say("trace.longer")}
            </Button>
          )}
        </Empty>
      )}
      {rows !== undefined && rows.length > 0 && (
        <Rows
          rows={rows}
          isMore={found.hasNextPage}
          more={() => {
            if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
          }}
        />
      )}
    </div>
  );
}

type RowsProps = { rows: readonly Interaction[]; isMore: boolean; more: () => void };

/** Only those that are seen are drawn, however many there are. */
function Rows({ rows, isMore, more }: RowsProps) {
  const { t: say } = useTranslation("supervision");
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow(1_000);
  const names = useNames();
  const time = useTime();
  const open = useOpen();
  const isNarrow = window.innerWidth <= 760;
  const shown = useVirtualizer({
    count: rows.length + (isMore ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => (isNarrow ? ROW.narrow : ROW.wide),
    overscan: 8,
    // Drawn with the next frame: to draw at once holds up the scrolling.
    useFlushSync: false,
  });
  const drawn = shown.getVirtualItems();
  const last = drawn.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for once the end comes near.
  useEffect(() => {
    if (isMore && last >= rows.length - PAGE / 4) more();
  }, [last, rows.length, isMore]);
  const go = (step: number) => {
    const here = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const at = here?.dataset.row === undefined ? undefined : Number(here.dataset.row);
    const first = drawn.find(({ end }) => end > (scroller.current?.scrollTop ?? 0))?.index ?? 0;
    const to = Math.min(Math.max(at === undefined ? first : at + step, 0), rows.length - 1);
    shown.scrollToIndex(to);
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-row="${to}"]`)?.focus(),
    );
  };
  // From row to row, beyond those that are drawn too.
  useShortcuts({ ArrowDown: () => go(1), ArrowUp: () => go(-1) });
  return (
    <div className={css.scroller} ref={scroller}>
      <table className={css.table} aria-rowcount={isMore ? -1 : rows.length + 1}>
        <caption className="unseen">{say("trace.title")}</caption>
        <thead>
          <tr className={css.head}>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" data-column={column}>
                {say(`trace.column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody style={{ height: shown.getTotalSize() }}>
          {drawn.map(({ index, start, size }) => {
            const row = rows[index];
            if (row === undefined) return <More key="more" start={start} size={size} />;
            return (
              <Row
                key={row.id}
                row={row}
                index={index}
                start={start}
                size={size}
                // Only what goes on gets older: the others stay as they are drawn.
                length={(row.ended_ms ?? now) - row.started_ms}
                names={names}
                time={time}
                open={open}
              />
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const COLUMNS = [
  "protocol",
  "customer",
  "service",
  "agent",
  "started",
  "duration",
  "outcome",
] as const;

type Place = { start: number; size: number };

const place = ({ start, size }: Place) => ({ transform: `translateY(${start}px)`, height: size });

type RowProps = Place & {
  row: Interaction;
  index: number;
  /** How long it took or has taken yet, in milliseconds. */
  length: number;
  names: Names;
  time: Intl.DateTimeFormat;
  open: (event: MouseEvent<HTMLAnchorElement>) => void;
};

/** A row, drawn once for as long as it is seen: those that come and go beside it are drawn alone. */
const Row = memo(function Row({ row, index, length, names, time, open, ...at }: RowProps) {
  const { t: say } = useTranslation("supervision");
  const what = outcome(row);
  const who = row.direction === "outbound" ? row.to : row.from_name || row.from;
  const cells = {
    protocol: (
      <>
        <MediumIcon kind={row.medium} size={16} />
        <a className={css.open} href={`/trace/${row.id}`} data-row={index} onClick={open}>
          {row.protocol}
        </a>
      </>
    ),
    customer: (
      <span className={css.cut}>
        {who || say("trace.withheld")}
        {row.direction === "outbound" && <small>{say("trace.outbound")}</small>}
        {row.tags.map((tag) => (
          <span key={tag} className={css.tag}>
            {tag}
          </span>
        ))}
      </span>
    ),
    service: <span className={css.cut}>{names.service(row.service)}</span>,
    agent: <span className={css.cut}>{names.person(row.agent)}</span>,
    started: <time>{time.format(row.started_ms)}</time>,
    duration: <span>{span(length)}</span>,
    outcome: (
      <span className={css.outcome} data-tone={tone(what)}>
        {say(`trace.outcome.${what}`)}
      </span>
    ),
  };
  return (
    <tr className={css.row} style={place(at)} aria-rowindex={index + 2}>
      {COLUMNS.map((column) => (
        <td key={column} data-column={column}>
          {cells[column]}
        </td>
      ))}
    </tr>
  );
});

function More(at: Place) {
  return (
    <tr className={css.row} style={place(at)}>
      <td>
        <Skeleton height={12} width={160} />
      </td>
    </tr>
  );
}

/** Opens a row here, unless it was wanted elsewhere. A link of the router would listen to it in each row. */
function useOpen() {
  const navigate = useNavigate();
  return useCallback(
    (event: MouseEvent<HTMLAnchorElement>) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      const interaction = event.currentTarget.pathname.split("/").at(-1) ?? "";
      void navigate({ to: "/trace/$interaction", params: { interaction } });
    },
    [navigate],
  );
}

function useTime(): Intl.DateTimeFormat {
  const { i18n } = useTranslation();
  return useMemo(() => {
    const two = "2-digit";
    const form = { day: two, month: two, hour: two, minute: two, second: two } as const;
    return new Intl.DateTimeFormat(i18n.language, form);
  }, [i18n.language]);
}

function Loading() {
  return (
    <div className={css.loading} aria-hidden="true">
      {Array.from({ length: 12 }, (_, index) => index).map((index) => (
        <Skeleton key={index} height={22} />
      ))}
    </div>
  );
}
