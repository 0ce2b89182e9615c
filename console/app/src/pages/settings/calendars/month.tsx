import { ActionIcon, Button, UnstyledButton } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import css from "./calendars.module.css";
import { DateEditor } from "./date";
import { day, type Hours, isOn, month, monthPlus, type OwnDate, plus, short } from "./hours";

type Props = { hours: Hours; change: (dates: readonly OwnDate[]) => void };

/** A date that is being set: which of them it is, or that it is another. */
type Edited = { readonly at: number | undefined; readonly date: OwnDate };

const today = () => new Date().toLocaleDateString("sv");

/** What each day is in the end, and the dates that are not like others. */
export function MonthPage({ hours, change }: Props) {
  const { t, i18n } = useTranslation("settings");
  const [shown, setShown] = useState(() => today().slice(0, 7));
  const [edited, setEdited] = useState<Edited>();
  const title = new Intl.DateTimeFormat(i18n.language, {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(new Date(`${shown}-01T00:00:00Z`));
  const edit = (date: string) => {
    const at = hours.dates.findIndex((own) => isOn(own, date));
    const found = hours.dates[at];
    if (found !== undefined) setEdited({ at, date: found });
    else
      setEdited({
        at: undefined,
        date: { name: "", on: date, every_year: false, hours: "closed" },
      });
  };
  return (
    <section className={css.months}>
      <div className={css.bar}>
        <h2>{t("calendars.dates")}</h2>
        <p>{t("calendars.datesText")}</p>
        <div className={css.turn}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t("calendars.before")}
            onClick={() => setShown(monthPlus(shown, -1))}
          >
            <IconChevronLeft size={17} />
          </ActionIcon>
          <strong aria-live="polite">{title}</strong>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t("calendars.after")}
            onClick={() => setShown(monthPlus(shown, 1))}
          >
            <IconChevronRight size={17} />
          </ActionIcon>
          <Button variant="default" size="compact-md" onClick={() => setShown(today().slice(0, 7))}>
            {t("calendars.today")}
          </Button>
        </div>
      </div>
      <Grid key={shown} hours={hours} shown={shown} edit={edit} />
      {edited !== undefined && (
        <DateEditor
          date={edited.date}
          isNew={edited.at === undefined}
          close={() => setEdited(undefined)}
          change={(date) => {
            const others = hours.dates.filter((_, at) => at !== edited.at);
            change(date === undefined ? others : sorted([...others, date]));
            setEdited(undefined);
          }}
        />
      )}
    </section>
  );
}

/** Those of one day stand before those of many: the first that fits a day decides. */
function sorted(dates: readonly OwnDate[]): readonly OwnDate[] {
  const long = ({ on, until }: OwnDate) => (until === undefined || until === on ? 0 : 1);
  return [...dates].sort((a, b) => long(a) - long(b) || a.on.localeCompare(b.on));
}

function Grid({
  hours,
  shown,
  edit,
}: {
  hours: Hours;
  shown: string;
  edit: (date: string) => void;
}) {
  const { t, i18n } = useTranslation("settings");
  const now = today();
  const [reached, setReached] = useState(now.startsWith(shown) ? now : `${shown}-01`);
  const weeks = month(shown);
  const named = (weekday: "short" | "long", date: string) =>
    new Intl.DateTimeFormat(i18n.language, { weekday, timeZone: "UTC" }).format(
      new Date(`${date}T00:00:00Z`),
    );
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const by = STEPS[event.key];
    const to = by === undefined ? undefined : plus(reached, by);
    if (!to?.startsWith(shown)) return;
    event.preventDefault();
    setReached(to);
    event.currentTarget.querySelector<HTMLElement>(`[data-date="${to}"]`)?.focus();
  };
  return (
    <table className={css.month} onKeyDown={move}>
      <thead>
        <tr>
          {weeks[0]?.map((date) => (
            <th key={date} scope="col" abbr={named("long", date)}>
              {named("short", date)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week[0]}>
            {week.map((date) => {
              if (!date.startsWith(shown)) return <td key={date} />;
              const { intervals, why } = day(hours, date);
              const said = intervals.length === 0 ? t("calendars.closed") : short(intervals);
              return (
                <td key={date}>
                  <UnstyledButton
                    className={css.cell}
                    data-date={date}
                    data-is={why?.is ?? "usual"}
                    data-open={intervals.length > 0}
                    data-today={date === now}
                    tabIndex={date === reached ? 0 : -1}
                    onClick={() => {
                      setReached(date);
                      edit(date);
                    }}
                  >
                    <b>{Number(date.slice(8))}</b>
                    {why !== undefined && <em>{why.name}</em>}
                    <span>{said}</span>
                  </UnstyledButton>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: -7,
  ArrowDown: 7,
};
