import { Button, Skeleton } from "@mantine/core";
import { IconStar } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";
import type { Wanted } from "./address";
import type { Windows } from "./figures";
import { surveys } from "./questions";
import css from "./reports.module.css";

type Props = { wanted: Wanted; times: Windows };

/** What customers thought, question by question. */
export function Surveys({ wanted, times }: Props) {
  const { t } = useTranslation();
  const { t: say } = useTranslation("supervision");
  const { data: found, isError, refetch } = useQuery(surveys(wanted, times.now));
  const { data: before } = useQuery(surveys(wanted, times.before));
  if (isError) {
    return (
      <Empty title={t("failed.load")}>
        <Button variant="default" onClick={() => void refetch()}>
          {t("failed.retry")}
        </Button>
      </Empty>
    );
  }
  if (found === undefined) return <Skeleton height={220} mt={20} />;
  if (found.items.length === 0) {
    return (
      <Empty
        icon={<IconStar size={40} stroke={1.3} />}
        title={say("reports.noAnswers")}
        text={say("reports.noAnswersText")}
      />
    );
  }
  const of = (row: Schemas["SurveyRow"]) =>
    before?.items.find((one) => one.survey === row.survey && one.question === row.question);
  return (
    <ul className={css.surveys}>
      {found.items.map((row) => (
        <li key={`${row.survey}${row.question}`}>
          <Question row={row} before={of(row)} />
        </li>
      ))}
    </ul>
  );
}

type QuestionProps = {
  row: Schemas["SurveyRow"];
  before: Schemas["SurveyRow"] | undefined;
};

/** As many answers as are drawn. */
const ANSWERS_MAX = 11;

function Question({ row, before }: QuestionProps) {
  const { t: say, i18n } = useTranslation("supervision");
  const one = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  const most = Math.max(...row.counts.map(({ count }) => count), 1);
  const shown = inOrder(row).slice(0, ANSWERS_MAX);
  const value = row.kind === "nps" ? row.nps : row.average;
  const was = row.kind === "nps" ? before?.nps : before?.average;
  return (
    <article className={css.question}>
      <header>
        <h2>{row.text || row.question}</h2>
        <p>
          {[row.name ?? "", say("reports.answers", { count: row.answers })]
            .filter((part) => part !== "")
            .join(" · ")}
        </p>
      </header>
      {value != null && (
        <p className={css.value}>
          {one.format(value)}
          <small>
            {row.kind === "nps" ? "NPS" : say("reports.average")}
            {was != null && ` · ${say("reports.was", { value: one.format(was) })}`}
          </small>
        </p>
      )}
      <ul className={css.counts}>
        {shown.map(({ answer, count }) => (
          <li key={answer}>
            <span>{answer || say("reports.long")}</span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect width={(100 * count) / most} height="8" rx="1" />
            </svg>
            <strong>{count}</strong>
          </li>
        ))}
      </ul>
    </article>
  );
}

/** Notes from the best to the worst, everything else by how often it was said. */
function inOrder(row: Schemas["SurveyRow"]) {
  const isNote = row.kind === "stars" || row.kind === "nps";
  return isNote ? [...row.counts].sort((a, b) => Number(b.answer) - Number(a.answer)) : row.counts;
}
