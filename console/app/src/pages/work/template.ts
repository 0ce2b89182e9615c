// A template: which blanks it has, and how it reads filled in. No browser in here.

import type { Template } from "../../api/client";
import { fields, text } from "../../api/open";

/** Something to fill in. */
export type Blank = {
  readonly id: string;
  readonly place: "header" | "body";
  readonly name: string;
};

export type Filled = { readonly header: string; readonly body: string; readonly footer: string };

/** Whether its provider lets it go, and no file has to stand above it. */
export function isUsable(template: Template): boolean {
  const { state, header } = fields(template.template);
  return state === "approved" && fields(header).media === undefined;
}

/** What it says, blanks and all. */
export function words(template: Template): Filled {
  const { header, body, footer } = fields(template.template);
  return { header: text(fields(header).text), body: text(body), footer: text(footer) };
}

export function blanks(template: Template): readonly Blank[] {
  const of = (place: Blank["place"], names: readonly string[]) =>
    names.map((name) => ({ id: `${place} ${name}`, place, name }));
  return [...of("header", template.header_names), ...of("body", template.body_names)];
}

/** As the customer sees it; a blank that is still empty stays one. */
export function filled(template: Template, given: Readonly<Record<string, string>>): Filled {
  const all = words(template);
  const fill = (place: Blank["place"], of: string) =>
    of.replace(/\{\{\s*([^{}]+?)\s*\}\}/gu, (blank, name) => given[`${place} ${name}`] || blank);
  return { ...all, header: fill("header", all.header), body: fill("body", all.body) };
}

/** The values by their places, as the program wants them. */
export function values(template: Template, given: Readonly<Record<string, string>>) {
  const of = (names: readonly string[], place: Blank["place"]) =>
    Object.fromEntries(names.map((name) => [name, given[`${place} ${name}`]?.trim() ?? ""]));
  return { header: of(template.header_names, "header"), body: of(template.body_names, "body") };
}
