// To whom something is handed, by what is typed. No browser in here.

import type { Schemas } from "../../api/client";

type Targets = Schemas["TargetList"];

export type To =
  | { readonly agent: string }
  | { readonly service: string }
  | { readonly number: string };

export type Found = {
  readonly to: To;
  readonly name: string;
  readonly kind: "agent" | "service" | "number";
  /** How an agent is. */
  readonly state?: State;
  /** How many wait for a service, and how many of its people are there. */
  readonly waiting?: number;
  readonly there?: number;
};

export type State = "available" | "busy" | "paused" | "offline";

/** Who is paused or away takes nothing, by whomever it comes. */
export function takes({ state }: Pick<Found, "state">): boolean {
  return state !== "paused" && state !== "offline";
}

/** The next one who takes it, downwards or upwards from there and round; -1 where nobody does. */
export function next(found: readonly Found[], from: number, step: 1 | -1): number {
  const { length } = found;
  const places = Array.from({ length }, (_, i) => (from + step * (i + 1) + length * 2) % length);
  return places.find((place) => takes(found[place] as Found)) ?? -1;
}

/** An extension or a number, as one dials it; nothing where letters stand in it. */
export function dialled(typed: string): string | undefined {
  const digits = typed.replace(/[\s().-]/g, "");
  return /^\+?[\d*#]{2,20}$/.test(digits) ? digits : undefined;
}

/** Whom the dialler calls: a number without what only eyes need, else an extension by its name, as it was typed. */
export function wanted(typed: string): string | undefined {
  return dialled(typed) ?? (typed.trim() || undefined);
}

/** Who is there comes first; then by name. */
const ORDER: readonly State[] = ["available", "busy", "paused", "offline"];

/** Whoever has all of their attention elsewhere takes nothing more. */
const FULL = 100;

export function find(targets: Targets | undefined, typed: string, numbers: boolean): Found[] {
  const words = plain(typed).split(/\s+/);
  const isMeant = ({ name }: Found) => words.every((word) => plain(name).includes(word));
  // Who is not there is found by name, and not proposed.
  const isShown = ({ state }: Found) => state !== "offline" || typed.trim() !== "";
  const agents = (targets?.agents ?? []).map(agent).filter(isMeant).filter(isShown);
  const services = (targets?.services ?? []).map(service).filter(isMeant);
  const number = numbers ? dialled(typed) : undefined;
  return [
    ...(number === undefined
      ? []
      : [{ to: { number }, name: typed.trim(), kind: "number" } as const]),
    ...agents.sort((a, b) => place(a) - place(b)),
    ...services,
  ];
}

function agent({ id, name, presence, load }: Targets["agents"][number]): Found {
  const state = presence === "available" && load >= FULL ? "busy" : presence;
  return { to: { agent: id }, name, kind: "agent", state };
}

function service({ id, name, waiting, available }: Targets["services"][number]): Found {
  return { to: { service: id }, name, kind: "service", waiting, there: available };
}

function place({ state }: Found): number {
  return ORDER.indexOf(state ?? "offline");
}

/** Without accents and capitals: nobody types them to find a colleague. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
