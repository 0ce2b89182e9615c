import { IconCheck } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { speaking } from "../../../words/words";
import { flows, numbers, users } from "../kept";
import { Loading } from "../parts/list";
import { Head } from "../parts/page";
import parts from "../parts/parts.module.css";
import { all } from "../parts/resource";
import { services } from "../services/resource";
import { answered } from "./answered";
import { AgentStep, NumberStep, ServiceStep, UraStep } from "./making";
import css from "./start.module.css";
import { done, led, next, STEPS, type Step } from "./steps";

/** One look is enough to know whether anybody ever called. */
const calls = {
  queryKey: ["interactions", "any"],
  queryFn: async () => {
    const params = { query: { limit: 1 } };
    return (await asked(api.GET("/api/v1/interactions", { params }))).items;
  },
};

/** From nothing to the first call: left and taken up whenever one likes, for what is done is there. */
export function Start() {
  const { t } = useTranslation("settings");
  const [s, u, f, n, i] = useQueries({
    queries: [all(services), all(users), all(flows), all(numbers), calls],
  });
  if (!s.data || !u.data || !f.data || !n.data || !i.data) {
    return (
      <div className={parts.page}>
        <Head title={t("section.start")} text={t("start.text")} />
        <Loading />
      </div>
    );
  }
  const has = {
    services: s.data,
    users: u.data,
    flows: f.data,
    numbers: n.data,
    interactions: i.data,
  };
  const isDone = done(has);
  const current = next(isDone);
  const published = f.data.find((flow) => flow.published != null);
  // Who has called once may want to hear what they changed.
  const isCalled = (step: Step) => step === "call" && isDone.has("number");
  const body: Record<Step, ReactNode> = {
    service: <ServiceStep />,
    agent: <AgentStep services={s.data} />,
    ura: <UraStep services={s.data} />,
    number: <NumberStep flow={published?.id} />,
    call: <CallStep numbers={led(n.data, f.data)} />,
  };
  return (
    <div className={parts.page}>
      <Head title={t("section.start")} text={t("start.text")} />
      <ol className={css.steps}>
        {STEPS.map((step, at) => (
          <li key={step} data-is={isDone.has(step) ? "done" : step === current ? "now" : "later"}>
            <span className={css.mark}>
              {isDone.has(step) ? (
                <IconCheck size={16} role="img" aria-label={t("start.done")} />
              ) : (
                at + 1
              )}
            </span>
            <div>
              <h2>{t(`start.step.${step}`)}</h2>
              {step !== current && !isCalled(step) && (
                <p className={css.text}>{t(`start.about.${step}`)}</p>
              )}
              {(step === current || isCalled(step)) && body[step]}
              {isDone.has(step) && <More step={step} />}
            </div>
          </li>
        ))}
      </ol>
      {current === undefined && <p className={css.all}>{t("start.all")}</p>}
    </div>
  );
}

/** The first call, from here: to a number that is answered at this hour. */
function CallStep({ numbers }: { numbers: ReturnType<typeof led> }) {
  const { t } = useTranslation("settings");
  const { data: number } = useQuery({
    queryKey: ["answered", ...numbers.map((one) => one.number)],
    queryFn: () => answered(numbers),
  });
  if (number === undefined) return <Loading />;
  if (number === null) {
    return (
      <p className={css.text}>
        {t("start.allClosed")}{" "}
        <Link to="/settings/$section" params={{ section: "calendars" }}>
          {t("section.calendars")}
        </Link>
      </p>
    );
  }
  return (
    <div className={css.making}>
      <p className={css.text}>{t("start.callText", { number })}</p>
      <Suspense>
        <Call number={number} />
      </Suspense>
    </div>
  );
}

const Call = lazy(speaking("ura", () => import("./call")));

/** Where what was made is set in full. */
function More({ step }: { step: Step }) {
  const { t } = useTranslation("settings");
  if (step === "ura") return <Link to="/ura">{t("start.more")}</Link>;
  if (step === "call") return <Link to="/trace">{t("start.more")}</Link>;
  const section = { service: "services", agent: "users", number: "numbers" }[step];
  return (
    <Link to="/settings/$section" params={{ section }}>
      {t("start.more")}
    </Link>
  );
}
