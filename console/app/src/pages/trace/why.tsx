import { Skeleton } from "@mantine/core";
import { IconRoute } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Empty } from "../../parts/empty";
import { reasons } from "./decision";
import css from "./interaction.module.css";
import { decisions } from "./questions";

/** Why it was offered to whom. */
export function Why({ id }: { id: string }) {
  const { t: say, i18n } = useTranslation("supervision");
  const { data: all } = useQuery(decisions(id));
  if (all === undefined) return <Skeleton height={120} />;
  if (all.length === 0) {
    return (
      <Empty
        icon={<IconRoute size={36} stroke={1.4} />}
        title={say("one.noDecision")}
        text={say("one.noDecisionText")}
      />
    );
  }
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "medium" });
  return (
    <ol className={css.decisions}>
      {all.map((one) => (
        <Decision
          key={`${one.at_ms}${one.work}`}
          said={one.sentence}
          at={time.format(one.at_ms)}
          isMade
        />
      ))}
    </ol>
  );
}

type DecisionProps = {
  said: string;
  at?: string;
  /** Whether the first has it, and would not only be looked at first. */
  isMade?: boolean;
};

/** One decision: how the work came up, then each agent and why or why not. */
export function Decision({ said, at, isMade = false }: DecisionProps) {
  const { rule, agents } = reasons(said);
  return (
    <li className={css.decision}>
      <p className={css.rule}>
        {rule}
        {at !== undefined && <time>{at}</time>}
      </p>
      <ol>
        {agents.map(({ name, why }, index) => (
          <li key={name} data-first={isMade && index === 0}>
            <span>{name}</span>
            <span>{why}</span>
          </li>
        ))}
      </ol>
    </li>
  );
}
