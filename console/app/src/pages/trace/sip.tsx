import { Skeleton, UnstyledButton } from "@mantine/core";
import { IconArrowsLeftRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "../../parts/empty";
import { type Arrow, ladder } from "./ladder";
import { sip } from "./questions";
import css from "./sip.module.css";

/** What was said in SIP, drawn as a ladder; a message is read by pressing it. */
export function Signalling({ id, isOpen }: { id: string; isOpen: boolean }) {
  const { t: say } = useTranslation("supervision");
  const { data: legs } = useQuery(sip(id));
  const [read, setRead] = useState<string | null>(null);
  if (legs === undefined) return <Skeleton height={240} />;
  if (legs.length === 0) {
    return (
      <Empty
        icon={<IconArrowsLeftRight size={36} stroke={1.4} />}
        title={say("sip.none")}
        text={isOpen ? say("sip.notYet") : say("sip.noneText")}
      />
    );
  }
  const { sides, arrows } = ladder(legs);
  const first = arrows[0]?.at ?? 0;
  const place = (side: number) => `${(100 * (side + 0.5)) / sides.length}%`;
  return (
    <section className={css.ladder} aria-label={say("sip.title")}>
      <div className={css.sides}>
        {sides.map(({ name, leg }) => (
          <span key={leg ?? "us"} data-us={leg === null}>
            {leg === null ? "Ramal" : name}
          </span>
        ))}
      </div>
      <ol className={css.arrows}>
        {sides.map(({ leg }, index) => (
          <span
            key={leg ?? "us"}
            className={css.line}
            style={{
              left: `calc(var(--times) + (100% - var(--times)) * ${(index + 0.5) / sides.length})`,
            }}
            aria-hidden="true"
          />
        ))}
        {arrows.map((arrow) => (
          <li key={arrow.key}>
            <UnstyledButton
              className={css.arrow}
              data-answer={arrow.isAnswer}
              data-bad={arrow.status >= 400}
              aria-expanded={read === arrow.key}
              onClick={() => setRead(read === arrow.key ? null : arrow.key)}
            >
              <time>{after(arrow.at - first)}</time>
              <span className={css.room}>
                <span
                  className={css.shaft}
                  data-back={arrow.to < arrow.from}
                  style={{
                    left: place(Math.min(arrow.from, arrow.to)),
                    right: `calc(100% - ${place(Math.max(arrow.from, arrow.to))})`,
                  }}
                >
                  <span>{arrow.label}</span>
                </span>
              </span>
            </UnstyledButton>
            {read === arrow.key && <Message arrow={arrow} />}
          </li>
        ))}
      </ol>
      {legs.some(({ left_out }) => left_out > 0) && (
        <p className={css.left}>
          {say("sip.leftOut", { count: legs.reduce((sum, leg) => sum + leg.left_out, 0) })}
        </p>
      )}
    </section>
  );
}

/** Seconds since the first message. */
function after(ms: number): string {
  return `${(ms / 1_000).toFixed(3)}`;
}

function Message({ arrow }: { arrow: Arrow }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <pre className={css.message} tabIndex={0}>
      {arrow.text || `${arrow.line}\nCSeq: ${arrow.cseq}`}
    </pre>
  );
}
