// How the wall sees queues and people. No browser in here.

import type { Agent, Schemas } from "../../api/client";

type Queue = Schemas["Queue"];
type Call = Schemas["Call"];
type Today = Queue["today"];

/** What an agent is doing, the busiest first. */
export const STATES = [
  "handling",
  "offered",
  "wrapping",
  "available",
  "paused",
  "offline",
] as const;

export type State = (typeof STATES)[number];

export function stateOf(agent: Pick<Agent, "presence" | "in_hand">): State {
  const does = (...what: readonly string[]) =>
    agent.in_hand.some(({ doing }) => what.includes(doing));
  if (does("handling", "holding")) return "handling";
  if (does("wrapping up")) return "wrapping";
  if (does("offered")) return "offered";
  return agent.presence;
}

/** Why somebody is paused, as the program says it without their having chosen. */
export const BY_ITSELF = ["missed", "unreachable", "busy", "refused", "leaving"] as const;

/** The agents as they stand on the board: those who do something first, by name within. */
export function board(agents: readonly Agent[], service: string | undefined): readonly Agent[] {
  const place = new Map(agents.map((agent) => [agent.id, STATES.indexOf(stateOf(agent))]));
  return agents
    .filter((agent) => service === undefined || agent.services.includes(service))
    .sort(
      (a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0) || a.name.localeCompare(b.name),
    );
}

/** What somebody has in hand costs this much of their attention when they can take nothing more, in percent. */
const LOAD_FULL = 100;

/** Whether somebody could take something now: they are there, and what they have in hand leaves room. */
export function isFree(agent: Pick<Agent, "presence" | "load" | "lost_until_ms">): boolean {
  return agent.presence === "available" && agent.lost_until_ms == null && agent.load < LOAD_FULL;
}

/** How many are in each state. */
export function count(agents: readonly Agent[]): Readonly<Record<State, number>> {
  const made = { handling: 0, offered: 0, wrapping: 0, available: 0, paused: 0, offline: 0 };
  for (const agent of agents) made[stateOf(agent)] += 1;
  return made;
}

/** The part that was answered in time; nothing before the first. */
export function level(today: Pick<Today, "in_target" | "late">): number | null {
  const measured = today.in_target + today.late;
  return measured === 0 ? null : today.in_target / measured;
}

/** From what part on a service level is as it is usually wished, and from what part on it is bad. */
const [WISHED, BAD] = [0.8, 0.6];

export function judge(part: number | null): "good" | "warn" | "bad" | "none" {
  if (part === null) return "none";
  // As it is shown: in whole percents.
  const shown = Math.round(part * 100) / 100;
  if (shown >= WISHED) return "good";
  return shown >= BAD ? "warn" : "bad";
}

/** All queues as one. */
export function total(
  queues: readonly Queue[],
  agents: readonly Agent[],
): Omit<Queue, "service" | "expected_ms"> {
  const today: Today = { answered: 0, in_target: 0, late: 0, abandoned: 0, closed: 0, moved: 0 };
  const made = {
    waiting: 0,
    oldest_ms: null as number | null,
    // Who takes the work of several services is counted once.
    available: agents.filter(isFree).length,
    paused: agents.filter(({ presence }) => presence === "paused").length,
    today,
  };
  for (const queue of queues) {
    made.waiting += queue.waiting;
    if (queue.oldest_ms != null) {
      made.oldest_ms = Math.min(made.oldest_ms ?? Number.POSITIVE_INFINITY, queue.oldest_ms);
    }
    for (const key of Object.keys(today) as (keyof Today)[]) today[key] += queue.today[key];
  }
  return made;
}

/** The call that an agent has in hand. */
export function callOf(calls: readonly Call[], agent: string): Call | undefined {
  return calls.find((call) => call.agent === agent && call.state === "talking");
}

/** How a supervisor takes part in a call; nothing where they do not. */
export function partOf(call: Call, user: string): string | undefined {
  const role = call.parties.find((party) => party.user === user)?.role;
  return ["listen", "whisper", "barge"].find((known) => known === role);
}
