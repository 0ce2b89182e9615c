import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import type { Named } from "../trace/names";
import { span } from "../trace/rows";
import { board, isFree, judge, level, total } from "./board";
import { trends } from "./questions";
import { drawn, ROOM, together } from "./trend";
import css from "./wall.module.css";

type Queue = Schemas["Queue"];
type Props = { services: readonly Named[] | undefined; isKnown: boolean; now: number };

/** The queues, the one in which most wait first. */
export function Queues({ services, isKnown, now }: Props) {
  const { t: say } = useTranslation("supervision");
  const queues = useStore(live, (state) => state.queues);
  const agents = useStore(live, (state) => state.agents);
  const { data: days } = useQuery(trends);
  const dayOf = (id: string) => days?.find(({ service }) => service === id)?.quarters ?? [];
  const named = (id: string) => services?.find((service) => service.id === id)?.name ?? "";
  const lines = Object.values(queues)
    .map((queue) => {
      // The program counts who is there; whoever looks at a line wants to know who could take of it.
      const free = board(Object.values(agents), queue.service).filter(isFree);
      return { ...queue, available: free.length };
    })
    .sort((a, b) => named(a.service).localeCompare(named(b.service)));
  if (!isKnown || services === undefined) return <Skeleton height={220} radius="lg" mb={28} />;
  return (
    <div className={css.frame}>
      <table className={css.queues}>
        <caption className="unseen">{say("wall.title")}</caption>
        <thead>
          <tr>
            <th scope="col">{say("wall.service")}</th>
            <th scope="col">{say("wall.waiting")}</th>
            <th scope="col">{say("wall.oldest")}</th>
            <th scope="col">{say("wall.available")}</th>
            <th scope="col">{say("wall.paused")}</th>
            <th scope="col">{say("wall.answered")}</th>
            <th scope="col">{say("wall.abandoned")}</th>
            <th scope="col" className={css.trend}>
              {say("wall.trend")}
            </th>
            <th scope="col">{say("wall.level")}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((queue) => (
            <Line
              key={queue.service}
              queue={queue}
              name={named(queue.service)}
              now={now}
              targetS={targetOf(services, queue.service)}
              day={dayOf(queue.service)}
            />
          ))}
        </tbody>
        {lines.length > 1 && (
          <tfoot>
            <Line
              queue={total(lines, Object.values(agents))}
              name={say("wall.all")}
              day={together(lines.map(({ service }) => dayOf(service)))}
              now={now}
              targetS={null}
            />
          </tfoot>
        )}
      </table>
    </div>
  );
}

function targetOf(services: readonly Named[], id: string): number | null {
  return services.find((service) => service.id === id)?.rules?.targets?.answer_s ?? null;
}

type LineProps = {
  queue: Omit<Queue, "service" | "expected_ms"> & { service?: string };
  name: string;
  now: number;
  targetS: number | null;
  day: Parameters<typeof drawn>[0];
};

function Line({ queue, name, now, targetS, day }: LineProps) {
  const { t: say } = useTranslation("supervision");
  const waits = queue.oldest_ms == null ? null : now - queue.oldest_ms;
  const isLate = waits !== null && targetS !== null && waits > targetS * 1_000;
  const { service } = queue;
  const found = service === undefined ? {} : { service };
  return (
    <tr data-waits={queue.waiting > 0} data-late={isLate}>
      <th scope="row">{name}</th>
      <td className={css.waiting}>
        {service === undefined ? (
          queue.waiting
        ) : (
          <Link
            to="/wall"
            search={{ queue: service }}
            aria-label={say("wall.see", { name, waiting: queue.waiting })}
          >
            {queue.waiting}
          </Link>
        )}
      </td>
      <td>{waits === null ? "–" : span(waits)}</td>
      <td>{queue.available}</td>
      <td>{queue.paused}</td>
      <td>
        <Link to="/trace" search={{ period: "today", outcome: "answered", ...found }}>
          {queue.today.answered}
        </Link>
      </td>
      <td data-some={queue.today.abandoned > 0}>
        <Link to="/trace" search={{ period: "today", outcome: "abandoned", ...found }}>
          {queue.today.abandoned}
        </Link>
      </td>
      <td className={css.trend}>
        <Trend day={day} name={name} />
      </td>
      <td>
        <Level part={level(queue.today)} targetS={targetS} />
      </td>
    </tr>
  );
}

/** The day so far: what came, and what of it was answered. */
function Trend({ day, name }: { day: Parameters<typeof drawn>[0]; name: string }) {
  const { t: say } = useTranslation("supervision");
  const lines = drawn(day);
  if (lines === null) return null;
  return (
    <svg
      viewBox={`0 0 ${ROOM.width} ${ROOM.height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={say("wall.trendOf", { name })}
    >
      <polyline className={css.came} points={lines.arrived} />
      <polyline className={css.went} points={lines.answered} />
    </svg>
  );
}

/** The part that was answered in time, drawn as well as said. */
function Level({ part, targetS }: { part: number | null; targetS: number | null }) {
  const { t: say } = useTranslation("supervision");
  const percent = part === null ? null : Math.round(part * 100);
  return (
    <span className={css.level} data-is={judge(part)}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect width="100" height="6" rx="1" />
        {percent !== null && <rect className={css.mark} width={percent} height="6" rx="1" />}
      </svg>
      <strong>{percent === null ? "–" : `${percent} %`}</strong>
      {targetS !== null && <small>{say("wall.within", { count: targetS })}</small>}
    </span>
  );
}
