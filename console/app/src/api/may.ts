// What somebody may do, as the program says it: the screen offers no more than that.

import type { Session } from "./client";

/** What there is to do something with, as of `/profiles`. */
export type Area =
  | "interactions"
  | "recordings"
  | "desk"
  | "reports"
  | "contacts"
  | "services"
  | "flows"
  | "channels"
  | "people"
  | "integrations"
  | "audit"
  | "company";

type Who = Pick<Session, "permissions"> | null | undefined;

/** How far; each step includes those before. */
const LEVELS = ["own", "view", "change"] as const;

/** Whether somebody may go so far in an area. */
export function may(who: Who, area: Area, level: "view" | "change"): boolean {
  const has = who?.permissions[area]?.level ?? "own";
  return LEVELS.indexOf(has) >= LEVELS.indexOf(level);
}

/** The areas of what is set up. */
const SET_UP: readonly Area[] = [
  "services",
  "channels",
  "people",
  "contacts",
  "integrations",
  "audit",
  "company",
];

/** Whether somebody sets up anything at all. */
export function setsUp(who: Who): boolean {
  return SET_UP.some((area) => may(who, area, "change"));
}
