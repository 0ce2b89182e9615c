// A template: which blanks it has, and how it reads filled in. No browser in here.

import type { Template } from "../../api/client";
import { fields, list, text } from "../../api/open";

/** Something to fill in: in the headline, in the words, or at the end of the link or as the code of a button. */
export type Blank = {
  readonly id: string;
  readonly place: "header" | "body" | "buttons";
  readonly name: string;
  /** What stands on the button, where it is one. */
  readonly on?: string;
};

export type Filled = { readonly header: string; readonly body: string; readonly footer: string };

/** Whether its provider lets it go: what it has only warned of goes, too. */
export function isUsable(template: Template): boolean {
  const { state } = fields(template.template);
  return state === "approved" || state === "flagged";
}

const ABOVE = ["image", "video", "document"] as const;

/** What file stands above it, where one does. */
export function above(template: Template): (typeof ABOVE)[number] | undefined {
  const { media } = fields(fields(template.template).header);
  return ABOVE.find((kind) => kind === media);
}

/** What it says, blanks and all. */
export function words(template: Template): Filled {
  const { header, body, footer } = fields(template.template);
  return { header: text(fields(header).text), body: text(body), footer: text(footer) };
}

export function blanks(template: Template): readonly Blank[] {
  const of = (place: Blank["place"], names: readonly string[]) =>
    names.map((name) => ({ id: `${place} ${name}`, place, name }));
  return [
    ...of("header", template.header_names),
    ...of("body", template.body_names),
    ...ofButtons(template),
  ];
}

/** The values that its buttons ask for, by the place of the button. */
function ofButtons(template: Template): readonly Blank[] {
  return list(fields(template.template).buttons).flatMap((button, place) => {
    const { kind, url, text: on } = fields(button);
    const asks = kind === "copy_code" || (kind === "url" && BLANK.test(text(url)));
    const name = String(place);
    return asks ? [{ id: `buttons ${name}`, place: "buttons", name, on: text(on) } as const] : [];
  });
}

const BLANK = /\{\{\s*[^{}]+?\s*\}\}/u;

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
  const buttons = ofButtons(template).map(({ name }) => name);
  return {
    header: of(template.header_names, "header"),
    body: of(template.body_names, "body"),
    ...(buttons.length > 0 && { buttons: of(buttons, "buttons") }),
  };
}
