import { ActionIcon } from "@mantine/core";
import { IconCopy, IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import css from "./calendars.module.css";
import { type Interval, WEEKDAYS, type Week, type Weekday } from "./hours";
import { TimeInput } from "./time";

/** The hours of each day of the week. */
export function WeekFields({
  week,
  change,
  wrong,
}: {
  week: Week;
  change: (week: Week) => void;
  wrong: string | undefined;
}) {
  const { t } = useTranslation("settings");
  const order: readonly Weekday[] = [...WEEKDAYS.slice(1), "sunday"];
  const copy = (day: Weekday) =>
    change({
      ...week,
      ...Object.fromEntries(WEEKDAYS.slice(1, 6).map((other) => [other, week[day]])),
    });
  return (
    <div className={css.week}>
      {order.map((day) => (
        <fieldset key={day} className={css.day}>
          <legend>{t(`weekday.${day}`)}</legend>
          <Intervals
            intervals={week[day]}
            change={(intervals) => change({ ...week, [day]: intervals })}
          />
          {day === "monday" && week.monday.length > 0 && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              className={css.copy ?? ""}
              title={t("calendars.copy")}
              aria-label={t("calendars.copy")}
              onClick={() => copy(day)}
            >
              <IconCopy size={16} />
            </ActionIcon>
          )}
        </fieldset>
      ))}
      {wrong !== undefined && <p className={css.bad}>{wrong}</p>}
    </div>
  );
}

/** From when to when, as often as it is opened in a day. */
export function Intervals({
  intervals,
  change,
}: {
  intervals: readonly Interval[];
  change: (intervals: readonly Interval[]) => void;
}) {
  const { t } = useTranslation("settings");
  const last = intervals.at(-1);
  const next = last === undefined ? { from: "09:00", to: "18:00" } : { from: last.to, to: "20:00" };
  const put = (at: number, changes: Partial<Interval>) =>
    change(intervals.map((old, place) => (place === at ? { ...old, ...changes } : old)));
  return (
    <div className={css.intervals}>
      {intervals.length === 0 && <span className={css.soft}>{t("calendars.closed")}</span>}
      {[...intervals.entries()].map(([at, { from, to }]) => (
        <span key={at} className={css.interval}>
          <TimeInput
            label={t("calendars.from")}
            value={from}
            onChange={(from) => put(at, { from })}
          />
          <span aria-hidden="true">–</span>
          <TimeInput label={t("calendars.to")} value={to} onChange={(to) => put(at, { to })} />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t("calendars.takeAway", { from, to })}
            onClick={() => change(intervals.filter((_, place) => place !== at))}
          >
            <IconX size={15} />
          </ActionIcon>
        </span>
      ))}
      <ActionIcon
        variant="subtle"
        color="teal"
        size="lg"
        title={t("calendars.interval")}
        aria-label={t("calendars.interval")}
        onClick={() => change([...intervals, next])}
      >
        <IconPlus size={16} />
      </ActionIcon>
    </div>
  );
}
