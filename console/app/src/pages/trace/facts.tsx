import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useNow } from "../../parts/time";
import css from "./interaction.module.css";
import { useNumbers } from "./names";
import { answers } from "./questions";
import { span } from "./rows";
import { Tags } from "./tags";
import { disposition, type Line, phases } from "./trail";

type Props = { found: Schemas["InteractionWithTrail"]; trail: readonly Line[] };

/** What is known of an interaction in one look. */
export function Facts({ found, trail }: Props) {
  const { t: say, i18n } = useTranslation("supervision");
  const now = useNow(1_000);
  const ours = useNumbers();
  const moment = new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "short",
    timeStyle: "medium",
  });
  const total = (kinds: readonly string[]) =>
    phases(trail, found.ended_ms ?? null, now)
      .filter(({ kind }) => kinds.includes(kind))
      .reduce((sum, { from, until }) => sum + until - from, 0);
  const waited = total(["waiting"]);
  const talked = total(["talking", "held"]);
  const tag = disposition(trail);
  const number = ours?.find(({ id }) => id === found.number);
  return (
    <aside className={css.facts} aria-label={say("one.facts")}>
      <dl>
        <Fact name={say("one.began")}>{moment.format(found.started_ms)}</Fact>
        {found.ended_ms != null && (
          <Fact name={say("one.ended")}>{moment.format(found.ended_ms)}</Fact>
        )}
        <Fact name={say("one.length")}>{span((found.ended_ms ?? now) - found.started_ms)}</Fact>
        {waited > 0 && <Fact name={say("one.waited")}>{span(waited)}</Fact>}
        {talked > 0 && <Fact name={say("one.handled")}>{span(talked)}</Fact>}
      </dl>
      {tag !== null && (
        <dl>
          <Fact name={say("one.tag")}>
            {tag.name}
            {tag.note !== "" && <span className={css.note}>{tag.note}</span>}
          </Fact>
        </dl>
      )}
      <Tags id={found.id} tags={found.tags} />
      <Survey id={found.id} />
      <dl>
        <Fact name={say("one.from")}>{found.from || say("trace.withheld")}</Fact>
        <Fact name={say("one.to")}>
          {found.to}
          {number !== undefined && number.name !== found.to && (
            <span className={css.note}>{number.name}</span>
          )}
        </Fact>
        {found.codec != null && <Fact name={say("one.codec")}>{found.codec}</Fact>}
      </dl>
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Survey({ id }: { id: string }) {
  const { t: say } = useTranslation("supervision");
  const { data: all } = useQuery(answers(id));
  if (all === undefined || all.length === 0) return null;
  return (
    <section>
      <h2>{say("one.survey")}</h2>
      <dl>
        {all.map((one) => (
          <Fact key={one.question} name={one.question}>
            {one.answer}
          </Fact>
        ))}
      </dl>
    </section>
  );
}
