// A flow as its document: the types that the program publishes, and how the simple form stands in it.

import type { Schemas } from "../../api/client";
import type { components } from "../../api/flow";

type Parts = components["schemas"];
export type Document = Parts["Flow"];
export type Node = Parts["Node"];
export type Kind = Node["kind"];
export type Say = Parts["Say"];
export type Form = Parts["SimpleForm"];
export type Offer = Parts["Offer"];
export type CalendarRef = Parts["CalendarRef"];
export type FlowLanguage = Parts["Language"];
export type Finding = Schemas["Finding"];

/** The keys that services may have, in their order. */
const KEYS = "1234567890";

/** The keys that the services of a form get: the one that says the menu again has no service. */
export function keysOf(form: Pick<Form, "services" | "repeat_key">): string[] {
  if (form.services.length < 2) return form.services.map(() => "");
  const free = [...KEYS].filter((key) => key !== form.repeat_key);
  return form.services.map((_, place) => free[place] ?? "");
}

/** As many services as there are keys for. */
export function servicesMax(form: Pick<Form, "repeat_key">): number {
  return form.repeat_key != null && KEYS.includes(form.repeat_key) ? KEYS.length - 1 : KEYS.length;
}

/** A part of the form. */
export type FormField = "hours" | "welcome" | "closed" | "menu" | "unanswered" | "services";

const FIELD_OF_NODE: Readonly<Record<string, FormField>> = {
  hours: "hours",
  welcome: "welcome",
  closed: "closed",
  menu: "menu",
  unanswered: "unanswered",
};

/** At which part of the form something is wrong, and for the services at which of them. */
export function fieldOf(finding: Finding): { field: FormField; place?: number } | undefined {
  const node = finding.node ?? "";
  const place = /^service-(\d+)$/.exec(node)?.[1];
  if (place !== undefined) return { field: "services", place: Number(place) - 1 };
  const field = FIELD_OF_NODE[node];
  return field === undefined ? undefined : { field };
}

/** Whether nothing would be heard. */
export function isSilent(say: Say | null | undefined): boolean {
  if (say == null) return true;
  if (say.kind === "text") return say.text.trim() === "";
  if (say.kind === "prompt") return say.prompt === "";
  return false;
}

/** `list` with what stands at `from` moved to `to`. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** Whether there is an hour at which somebody is there. */
export function everOpens(hours: unknown): boolean {
  const { schedule, dates } = hours as Partial<Parts["Calendar"]>;
  const isOpen = (intervals: unknown) => Array.isArray(intervals) && intervals.length > 0;
  if (schedule === undefined || schedule === "always") return true;
  return (
    Object.values(schedule.weekly).some(isOpen) ||
    (dates ?? []).some(({ hours }) => typeof hours === "object" && isOpen(hours.open))
  );
}

/** A first form: all services as far as there are keys, texts that can stay. */
export function firstForm(given: {
  language: FlowLanguage;
  hours: CalendarRef;
  services: readonly Offer[];
  texts: Record<"welcome" | "closed" | "unanswered", string>;
}): Form {
  const text = (of: keyof typeof given.texts): Say => ({ kind: "text", text: given.texts[of] });
  return {
    language: given.language,
    hours: given.hours,
    welcome: text("welcome"),
    closed: text("closed"),
    unanswered: text("unanswered"),
    services: given.services.slice(0, KEYS.length - 1),
    ...(given.services.length > 1 ? { repeat_key: "9" } : {}),
  };
}

/** Whether two documents say the same to callers: where their steps are drawn is no matter. */
export function saysTheSame(a: Document, b: Document): boolean {
  return same(withoutLayout(a), withoutLayout(b));
}

function withoutLayout({ layout: _, ...rest }: Document): Omit<Document, "layout"> {
  return rest;
}

/** Whether two values of JSON are the same; what is not set is as `null`. */
export function same(a: unknown, b: unknown): boolean {
  if (a == null || b == null) return a == null && b == null;
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const of = (value: object, key: string) => (value as Record<string, unknown>)[key];
  return [...keys].every((key) => same(of(a, key), of(b, key)));
}
