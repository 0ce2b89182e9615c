import { useTranslation } from "react-i18next";
import type { Schemas } from "../../../api/client";
import { long } from "../../../parts/time";
import { State } from "../parts/page";
import css from "../parts/parts.module.css";

type Trunk = Schemas["Trunk"];

const LOOKS = {
  registered: "good",
  trying: "warn",
  stopped: "off",
  failing: "bad",
  rejected: "bad",
  answering: "good",
  unknown: "warn",
  silent: "bad",
} as const;

type Condition = keyof typeof LOOKS;

/** The registration says more than the ping; a carrier that needs neither is simply in use. */
function condition({ registration, ping }: Trunk): Condition | undefined {
  const word = registration?.condition ?? ping?.condition;
  return word !== undefined && word in LOOKS ? (word as Condition) : undefined;
}

/** How it is between us and a carrier. */
export function TrunkState({ trunk }: { trunk: Trunk }) {
  const { t } = useTranslation("settings");
  const is = condition(trunk);
  if (trunk.disabled) return <State is="off">{t("off")}</State>;
  if (is === undefined) return <State is="good">{t("on")}</State>;
  return <State is={LOOKS[is]}>{t(`trunks.is.${is}`)}</State>;
}

export function TrunkFacts({ trunk }: { trunk: Trunk }) {
  const { t } = useTranslation("settings");
  const { t: say } = useTranslation();
  const { registration, ping } = trunk;
  const since = (seconds: number) => long(say, seconds * 1_000);
  return (
    <dl className={css.fact}>
      <dt>{t("trunks.connection")}</dt>
      <dd>
        <TrunkState trunk={trunk} />
        {registration != null && ` · ${since(registration.since_s)}`}
      </dd>
      {registration?.last_error != null && (
        <>
          <dt>{t("trunks.lastError")}</dt>
          <dd>{registration.last_error}</dd>
        </>
      )}
      {registration?.next_try_s != null && (
        <>
          <dt>{t("trunks.next")}</dt>
          <dd>{since(registration.next_try_s)}</dd>
        </>
      )}
      {ping?.round_trip_ms != null && (
        <>
          <dt>{t("trunks.roundTrip")}</dt>
          <dd>{t("trunks.ms", { count: ping.round_trip_ms })}</dd>
        </>
      )}
    </dl>
  );
}
