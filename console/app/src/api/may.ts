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

/** A page of the window. */
export type Page = "work" | "wall" | "trace" | "reports" | "ura" | "prompts" | "settings";

/** Whose area a page shows; work is for agents, and settings for whoever sets up anything. */
const SHOWN: Readonly<Record<Exclude<Page, "work" | "settings">, Area>> = {
  wall: "desk",
  trace: "interactions",
  reports: "reports",
  ura: "flows",
  prompts: "flows",
};

/** Whether somebody may see a page. */
export function sees(who: Who, page: Exclude<Page, "work">): boolean {
  return page === "settings" ? setsUp(who) : may(who, SHOWN[page], "view");
}

/** Where somebody comes to who takes no work: the first page that they may see. */
export function firstPage(who: Who): Exclude<Page, "work"> | undefined {
  return (["wall", "trace", "reports", "ura", "settings"] as const).find((page) => sees(who, page));
}
