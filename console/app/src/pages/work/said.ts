// What a message says, from what its channel carried. No browser in here.

import type { Message } from "../../api/client";
import { type Fields, fields, list, text } from "../../api/open";

export type Said =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "media";
      readonly media: string;
      readonly caption: string;
      readonly name: string;
    }
  | { readonly kind: "location"; readonly text: string; readonly url: string }
  | { readonly kind: "contacts"; readonly text: string }
  | { readonly kind: "choices"; readonly text: string; readonly choices: readonly string[] }
  | {
      readonly kind: "template";
      readonly name: string;
      readonly language: string;
      readonly given: Readonly<Record<string, string>>;
    }
  | { readonly kind: "order" }
  /** It stands on the message that it is about. */
  | { readonly kind: "reaction"; readonly text: string }
  | { readonly kind: "unsupported"; readonly name: string };

export function said(message: Pick<Message, "content">): Said {
  const content = fields(message.content);
  const kind = text(content.kind);
  switch (kind) {
    case "text":
    case "ask_phone":
    case "ask_location":
      return { kind: "text", text: text(content.text) };
    case "choice":
      return { kind: "text", text: text(content.title) };
    case "media":
      return {
        kind: "media",
        media: text(content.media),
        caption: text(content.caption),
        name: text(content.name),
      };
    case "location":
      return place(content);
    case "contacts":
      return { kind: "contacts", text: list(content.cards).map(card).join("\n") };
    case "choices":
      return {
        kind: "choices",
        text: text(content.body),
        choices: list(content.choices).map((choice) => text(fields(choice).title)),
      };
    case "template":
      return {
        kind: "template",
        name: text(content.name),
        language: text(content.language),
        given: given(content),
      };
    case "order":
      return { kind: "order" };
    case "reaction":
      return { kind: "reaction", text: text(content.emoji) };
    default:
      return { kind: "unsupported", name: text(content.type) || kind };
  }
}

/** Who wrote it. */
export function author(message: Pick<Message, "author">): {
  kind: string;
  id: string;
  name: string;
} {
  const { kind, id, name } = fields(message.author);
  return { kind: text(kind), id: text(id), name: text(name) };
}

/** Whose side it is on: the customer's, one's own, a colleague's, or that of something that writes by itself. */
export function side(message: Message, me: string): "customer" | "me" | "colleague" | "itself" {
  if (message.direction === "inbound") return "customer";
  const { kind, id } = author(message);
  if (kind !== "agent") return "itself";
  return id === me ? "me" : "colleague";
}

/** Why a message came no further, in the sentence that says what is to be done. */
export function failure(message: Pick<Message, "failure">): string {
  return text(fields(message.failure).sentence);
}

/** What comes of a failure where the same may get through another time. */
const PASSING = ["retry", "retry_with_new_token", "channel_broken", "uncertain"];

/** Whether it may get through when it is sent again as it is: not where it was refused for good. */
export function mayGoAgain({ state, failure }: Pick<Message, "state" | "failure">): boolean {
  if (state === "uncertain") return true;
  return state === "failed" && PASSING.includes(text(fields(failure).class));
}

/** What was put on it, by whomever. */
export function reactions(message: Pick<Message, "reactions">): readonly string[] {
  return Object.values(fields(message.reactions)).filter((one) => typeof one === "string");
}

/** Messages of one author, one soon after the other, under one day. */
export type Group = { readonly day: number; readonly items: readonly Message[] };

/** How long after the last one a message still belongs to it, in milliseconds. */
const TOGETHER_MS = 180_000;

export function groups(all: readonly Message[]): readonly Group[] {
  const made: { day: number; items: Message[] }[] = [];
  for (const message of all) {
    const group = made.at(-1);
    const last = group?.items.at(-1);
    const day = new Date(message.at_ms).setHours(0, 0, 0, 0);
    const belongs =
      group?.day === day &&
      last !== undefined &&
      last.direction === message.direction &&
      isOfSame(last, message) &&
      message.at_ms - last.at_ms < TOGETHER_MS;
    if (group !== undefined && belongs) group.items.push(message);
    else made.push({ day, items: [message] });
  }
  return made;
}

function isOfSame(one: Message, other: Message): boolean {
  const [a, b] = [author(one), author(other)];
  return a.kind === b.kind && a.id === b.id && a.name === b.name;
}

function place(content: Fields): Said {
  const latitude = Number(content.latitude);
  const longitude = Number(content.longitude);
  const named = [text(content.name), text(content.address)].filter((part) => part !== "");
  const point = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const at = `mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`;
  return {
    kind: "location",
    text: named.join(" · ") || point,
    url: `https://www.openstreetmap.org/?${at}`,
  };
}

function card(one: unknown): string {
  const { name, phones, emails } = fields(one);
  return [text(name), ...list(phones), ...list(emails)].join(" · ");
}

/** What was put into the blanks of a template, by `place name`. Its words are with the template. */
function given(content: Fields): Readonly<Record<string, string>> {
  const of = (place: string) =>
    list(content[place]).map((value) => {
      const { name, text: what } = fields(value);
      return [`${place} ${text(name)}`, text(what)] as const;
    });
  return Object.fromEntries([...of("header"), ...of("body")]);
}
