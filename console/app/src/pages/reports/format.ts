// Figures as people read them.

import { useTranslation } from "react-i18next";
import { span } from "../trace/rows";
import { MEASURES, type Measure, type Row } from "./figures";

export type Format = {
  readonly figure: (measure: Measure, value: number | null) => string;
  readonly change: (measure: Measure, by: number) => string;
  readonly name: (by: string, row: Row) => string;
};

export function useFormat(): Format {
  const { t: say, i18n } = useTranslation("supervision");
  const count = new Intl.NumberFormat(i18n.language);
  const percent = new Intl.NumberFormat(i18n.language, {
    style: "percent",
    maximumFractionDigits: 1,
  });
  const signed = new Intl.NumberFormat(i18n.language, {
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  });
  return {
    figure(measure, value) {
      if (value === null) return "–";
      switch (MEASURES[measure].unit) {
        case "count":
          return count.format(value);
        case "part":
          return percent.format(value);
        case "time":
          return span(value);
      }
    },
    change(measure, by) {
      const hundredths = signed.format(by * 100);
      return MEASURES[measure].unit === "part"
        ? say("reports.points", { by: hundredths })
        : `${hundredths} %`;
    },
    name(by, row) {
      if (by === "hours") return `${row.key} h`;
      if (by === "days") return dayName(i18n.language, row.key);
      return row.name ?? (row.key === "" ? say("reports.unknown") : say("reports.gone"));
    },
  };
}

function dayName(language: string, key: string): string {
  const [year = 0, month = 1, day = 1] = key.split("-").map(Number);
  return new Intl.DateTimeFormat(language, {
    weekday: "short",
    day: "2-digit",
    month: "2-digit",
  }).format(new Date(year, month - 1, day));
}
