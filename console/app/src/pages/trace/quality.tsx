import { useTranslation } from "react-i18next";
import { fields } from "../../api/open";
import css from "./quality.module.css";
import { span } from "./rows";
import { grade, lostPart, type Moment, moments } from "./sound";

/** How it sounded, at both ends. */
export function Quality({ quality }: { quality: unknown }) {
  const { t: say, i18n } = useTranslation("supervision");
  if (quality == null) return null;
  const all = fields(quality);
  const one = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  const ms = (value: unknown) => (typeof value === "number" ? `${Math.round(value)} ms` : "–");
  const percent = (value: number | null) => (value === null ? "–" : `${one.format(value * 100)} %`);
  return (
    <section className={css.quality} aria-label={say("quality.title")}>
      <Score name={say("quality.here")} score={all.mos} />
      <Score name={say("quality.there")} score={all.mos_at_peer} />
      <dl>
        <Fact
          name={say("quality.lostHere")}
          value={percent(lostPart(all.packets_lost, all.packets_received))}
        />
        <Fact
          name={say("quality.lostThere")}
          value={percent(lostPart(all.packets_lost_by_peer, all.packets_sent))}
        />
        <Fact name={say("quality.jitter")} value={ms(all.jitter_ms)} />
        <Fact name={say("quality.roundTrip")} value={ms(all.round_trip_ms)} />
      </dl>
      <Course moments={moments(quality)} />
    </section>
  );
}

/** From moment to moment: the higher a column, the better it was heard; what was lost hangs from above. */
function Course({ moments }: { moments: readonly Moment[] }) {
  const { t: say, i18n } = useTranslation("supervision");
  if (moments.length < 2) return null;
  const one = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  const heard = moments.flatMap(({ mos }) => (mos === null ? [] : [mos]));
  const worst = heard.length === 0 ? "–" : one.format(Math.min(...heard));
  const ms = (value: number | null) => (value === null ? "–" : `${Math.round(value)} ms`);
  const told = (at: Moment) =>
    say("quality.moment", {
      from: span(at.fromMs),
      until: span(at.untilMs),
      mos: at.mos === null ? "–" : one.format(at.mos),
      loss: `${one.format(at.loss * 100)} %`,
      jitter: ms(at.jitterMs),
      roundTrip: ms(at.roundTripMs),
    });
  const step = 100 / moments.length;
  return (
    <figure className={css.course}>
      <figcaption>{say("quality.course")}</figcaption>
      <svg
        viewBox="0 0 100 48"
        preserveAspectRatio="none"
        role="img"
        aria-label={say("quality.courseText", { worst })}
      >
        {moments.map((at) => {
          const place = at.mos === null ? 0 : (at.mos - WORST) / (BEST - WORST);
          const high = 48 * Math.min(Math.max(place, 0), 1);
          const x = (at.fromMs / (at.untilMs - at.fromMs)) * step;
          return (
            <g key={at.fromMs} data-grade={at.mos === null ? "none" : grade(at.mos)}>
              <title>{told(at)}</title>
              <rect className={css.hit} x={x} width={step} height="48" />
              <rect
                className={css.mark}
                x={x + step * 0.08}
                width={step * 0.84}
                y={48 - high}
                height={high}
              />
              <rect
                className={css.loss}
                x={x + step * 0.08}
                width={step * 0.84}
                height={48 * Math.min(at.loss, 1)}
              />
            </g>
          );
        })}
      </svg>
      <p>
        <span>{span(0)}</span>
        <span>{span(moments.at(-1)?.untilMs ?? 0)}</span>
      </p>
    </figure>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The scale of the opinion score. */
const [WORST, BEST] = [1, 4.5];

/** An opinion score on its scale. */
function Score({ name, score }: { name: string; score: unknown }) {
  const { t: say, i18n } = useTranslation("supervision");
  const isKnown = typeof score === "number";
  const number = new Intl.NumberFormat(i18n.language, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  const place = isKnown ? (100 * (score - WORST)) / (BEST - WORST) : 0;
  const how = isKnown ? grade(score) : "none";
  return (
    <div className={css.score} data-grade={how}>
      <p>
        <span>{name}</span>
        <strong>
          {isKnown && number.format(score)} {say(`quality.grade.${how}`)}
        </strong>
      </p>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect className={css.scale} width="100" height="6" rx="1" />
        <rect className={css.mark} width={Math.min(Math.max(place, 0), 100)} height="6" rx="1" />
      </svg>
    </div>
  );
}
