import { useTranslation } from "react-i18next";
import { fields } from "../../api/open";
import css from "./quality.module.css";
import { grade, lostPart } from "./sound";

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
    </section>
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
