import {
  IconAlertTriangle,
  IconArrowRampRight,
  IconFlag,
  IconHierarchy2,
  IconHourglass,
  IconPlayerRecord,
  IconUser,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useNow } from "../../parts/time";
import css from "./interaction.module.css";
import { useNames } from "./names";
import { span } from "./rows";
import { sentence } from "./sentences";
import { type Line, look, phases, steps } from "./trail";

const ICONS = {
  start: IconArrowRampRight,
  menu: IconHierarchy2,
  queue: IconHourglass,
  person: IconUser,
  record: IconPlayerRecord,
  bad: IconAlertTriangle,
  end: IconFlag,
} as const;

type Props = { found: Schemas["InteractionWithTrail"]; trail: readonly Line[] };

/** What happened, step by step. */
export function Path({ found, trail }: Props) {
  const { t: say, i18n } = useTranslation("supervision");
  const names = useNames();
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "medium" });
  return (
    <>
      <Phases found={found} trail={trail} />
      <ol className={css.steps}>
        {steps(trail).map((step) => {
          const { said, blanks, more } = sentence(step, names);
          const about = look(step.kind);
          const Icon = ICONS[about];
          return (
            <li key={step.key} className={css.step} data-about={about}>
              <span className={css.sign}>
                <Icon size={15} stroke={1.8} aria-hidden="true" />
              </span>
              <p>
                {say(`step.${said}`, blanks)}
                {more !== "" && <small>{more}</small>}
              </p>
              <time title={span(step.at - found.started_ms)}>{time.format(step.at)}</time>
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** No phase is drawn thinner than this part of the whole. */
const THIN = 0.06;

/** Where the time went, drawn by its length. */
function Phases({ found, trail }: Props) {
  const { t: say } = useTranslation("supervision");
  const now = useNow(1_000);
  const names = useNames();
  const all = phases(trail, found.ended_ms ?? null, now);
  const whole = all.reduce((sum, { from, until }) => sum + until - from, 0);
  if (all.length === 0) return null;
  return (
    <ol className={css.phases} aria-label={say("one.phases")}>
      {all.map((phase) => {
        const length = phase.until - phase.from;
        return (
          <li
            key={`${phase.kind}${phase.from}`}
            data-kind={phase.kind}
            style={{ flexGrow: Math.max(length / whole, THIN) }}
          >
            <span>
              {phase.kind === "waiting" || phase.name === ""
                ? [say(`one.phase.${phase.kind}`), names.service(phase.name) || phase.name].join(
                    " ",
                  )
                : phase.name}
            </span>
            <strong>{span(length)}</strong>
          </li>
        );
      })}
    </ol>
  );
}
