import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "../../api/client";
import { pauses } from "../../api/questions";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import { MediumIcon } from "../../parts/medium";
import { Choice } from "../trace/choice";
import { useServices } from "../trace/names";
import { span } from "../trace/rows";
import { BY_ITSELF, board, count, STATES, type State, stateOf } from "./board";
import css from "./wall.module.css";

type Props = { now: number; open: string | undefined; isKnown: boolean };

/** Everybody who takes work: what they do, since when, and what they have in hand. */
export function People({ now, open, isKnown }: Props) {
  const { t: say } = useTranslation("supervision");
  const agents = useStore(live, (state) => state.agents);
  const all = useServices("desk");
  const [service, setService] = useState<string | undefined>();
  const [only, setOnly] = useState<State | undefined>();
  if (!isKnown) return <Skeleton height={320} radius="lg" />;
  const ofService = board(Object.values(agents), service);
  const counts = count(ofService);
  const shown = ofService.filter((agent) => only === undefined || stateOf(agent) === only);
  return (
    <section aria-labelledby="team">
      <header className={css.head}>
        <h1 id="team">{say("wall.agents")}</h1>
        <ul className={css.counts}>
          {STATES.map((state) => (
            <li key={state}>
              <button
                type="button"
                className={css.count}
                data-is={state}
                aria-pressed={only === state}
                onClick={() => setOnly(only === state ? undefined : state)}
              >
                <strong>{counts[state]}</strong> {say(`wall.is.${state}`)}
              </button>
            </li>
          ))}
        </ul>
        <Choice
          label={say("wall.service")}
          value={service}
          all={(all ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          choose={setService}
        />
      </header>
      {shown.length === 0 ? (
        <p className={css.nobody}>{say("wall.nobody")}</p>
      ) : (
        <ul className={css.team}>
          {shown.map((agent) => (
            <li key={agent.id}>
              <Tile agent={agent} now={now} isOpen={agent.id === open} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Tile({ agent, now, isOpen }: { agent: Agent; now: number; isOpen: boolean }) {
  const state = stateOf(agent);
  const words = useStateWords();
  return (
    <Link
      to="/wall"
      search={isOpen ? {} : { agent: agent.id }}
      className={css.tile}
      data-is={state}
      data-open={isOpen}
    >
      <strong>{agent.name}</strong>
      <span className={css.does}>
        <span>{words(agent)}</span>
        {state === "paused" && agent.since_ms != null && <time>{span(now - agent.since_ms)}</time>}
      </span>
      {agent.in_hand.length > 0 && (
        <span className={css.hand}>
          {agent.in_hand.slice(0, IN_HAND_MAX).map((held) => (
            <MediumIcon key={held.work} kind={held.medium} size={15} />
          ))}
          {agent.in_hand.length > IN_HAND_MAX && `+${agent.in_hand.length - IN_HAND_MAX}`}
        </span>
      )}
    </Link>
  );
}

/** As many as a tile has room for. */
const IN_HAND_MAX = 3;

/** What an agent is doing, in words: of a pause its reason. */
export function useStateWords(): (agent: Agent) => string {
  const { t } = useTranslation();
  const { t: say } = useTranslation("supervision");
  const { data: reasons } = useQuery(pauses);
  return (agent) => {
    const state = stateOf(agent);
    if (state !== "paused" || agent.reason == null) return say(`wall.is.${state}`);
    const byItself = BY_ITSELF.find((known) => known === agent.reason);
    if (byItself !== undefined) return t(`presence.reason.${byItself}`);
    return reasons?.find(({ id }) => id === agent.reason)?.name ?? say("wall.is.paused");
  };
}
