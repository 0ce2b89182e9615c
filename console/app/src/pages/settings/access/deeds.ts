// What a line of the log says: what was done, to what, and what that changed. Nothing in here is asked or drawn.

import type { Schemas } from "../../../api/client";
import { type Fields, fields, list, text } from "../../../api/open";

export type Line = Pick<
  Schemas["AuditLine"],
  "id" | "at_ms" | "action" | "target" | "detail" | "user" | "api_key" | "remote"
>;

/** The kind of thing and what was done with it: `trunk` and `update` of `trunk.update`. */
export function deed({ action }: Pick<Line, "action">): { noun: string; verb: string } {
  const [noun = "", verb = ""] = action.split(".");
  return { noun, verb };
}

/** What a line itself calls the thing that it is about. */
function ownName(line: Line): string {
  const said = fields(line.detail);
  return text(said.name) || text(said.username) || text(said.number) || text(said.shortcut);
}

/** What things are called by their ids: as they are now, and what is gone as the log last said it. */
export function nameOf(
  lines: readonly Line[],
  known: ReadonlyMap<string, string>,
): (id: string) => string {
  const last = new Map<string, string>();
  // The newest stands first.
  for (const line of lines) {
    const name = ownName(line);
    if (name !== "" && !last.has(line.target)) last.set(line.target, name);
  }
  return (id) => known.get(id) ?? last.get(id) ?? "";
}

/** A field that is not what it was; what is not known is nothing. */
export type Change = { readonly field: string; readonly was?: unknown; readonly is: unknown };

/** What says how the change came about, and is no field of the thing. */
const NO_FIELD = new Set(["before", "after", "changes"]);

/** What a line changed: as it says it, else beside what the line before said of the same thing. */
export function changes(line: Line, lines: readonly Line[]): readonly Change[] {
  const said = fields(line.detail);
  if (said.before !== undefined && said.after !== undefined) {
    return between(fields(said.before), fields(said.after));
  }
  if (said.changes !== undefined) {
    const told = Object.entries(fields(said.changes));
    return told.map(([field, pair]) => ({ field, was: list(pair)[0], is: list(pair)[1] }));
  }
  const now = Object.entries(said).filter(([field]) => !NO_FIELD.has(field));
  const { noun } = deed(line);
  const older = lines
    .slice(lines.findIndex(({ id }) => id === line.id) + 1)
    .find((other) => other.target === line.target && deed(other).noun === noun);
  const was = fields(older?.detail);
  return now
    .filter(([field, is]) => !isSame(was[field], is))
    .map(([field, is]) => (field in was ? { field, was: was[field], is } : { field, is }));
}

function between(was: Fields, is: Fields): readonly Change[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names
    .filter((field) => !isSame(was[field], is[field]))
    .map((field) => ({ field, was: was[field], is: is[field] }));
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

/** Under which section a kind of thing is set, where it has a page there. */
export const SECTION_OF: Readonly<Record<string, string>> = {
  service: "services",
  user: "users",
  device: "devices",
  number: "numbers",
  trunk: "trunks",
  calendar: "calendars",
  skill: "skills",
  pause: "pauses",
  profile: "profiles",
  webhook: "webhooks",
  quick_reply: "quick-replies",
  outbound_route: "routes",
  contact: "contacts",
  agent: "users",
};
