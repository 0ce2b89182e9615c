// A document as a graph: what leads from each step where, and how that is changed.

import type { Document, Kind, Node, Say } from "../document";

/** One way out of a step. Its `at` is the JSON pointer by which findings name it too. */
export type Exit = {
  readonly at: string;
  /** What it is for; a choice has its key, a case its number. */
  readonly name: string;
  readonly mark?: string;
  /** Where it leads; nothing where nobody said yet. */
  readonly to: string;
  /** Whether the step may do without it. */
  readonly isOptional: boolean;
};

/** The ways out that a step always has, in the order in which they are drawn. */
const WAYS: Record<Kind, readonly string[]> = {
  hours: ["open", "closed", "holiday?"],
  prompt: ["next"],
  menu: ["otherwise?"],
  collect: ["next", "otherwise?"],
  queue: ["unanswered?", "closed?"],
  flow: ["next?"],
  return: [],
  dial: ["busy?", "no_answer?", "failed?", "ended?"],
  lookup: ["success", "failure?"],
  set: ["next"],
  condition: ["otherwise"],
  record: ["next"],
  "hang-up": [],
};

/** All kinds of steps. */
export const KINDS = Object.keys(WAYS) as Kind[];

type Fields = Record<string, unknown>;

/** The ways out of a step: its keys or cases first. */
export function exits(node: Node): Exit[] {
  const of = node as unknown as Fields;
  const listed = (name: string, list: readonly { to: string; key?: string }[]): Exit[] =>
    list.map((one, place) => ({
      at: `/${name}/${place}/to`,
      name: name === "cases" ? "case" : name === "leave" ? "leave" : "key",
      mark: one.key ?? String(place + 1),
      to: one.to,
      isOptional: false,
    }));
  const named = WAYS[node.kind].map((way): Exit => {
    const name = way.replace("?", "");
    const to = typeof of[name] === "string" ? (of[name] as string) : "";
    return { at: `/${name}`, name, to, isOptional: way.endsWith("?") };
  });
  if (node.kind === "menu") return [...listed("choices", node.choices), ...named];
  if (node.kind === "condition") return [...listed("cases", node.cases), ...named];
  if (node.kind === "queue") return [...named, ...listed("leave", node.leave ?? [])];
  return named;
}

/** `value` with what stands at the JSON pointer `at` become `part`, or gone. */
export function put<T>(value: T, at: string, part: unknown): T {
  const [, first = "", ...rest] = at.split("/");
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Fields;
  const next = rest.length === 0 ? part : put(copy[first] ?? {}, `/${rest.join("/")}`, part);
  if (next === undefined) delete copy[first];
  else copy[first] = next;
  return copy as T;
}

/** What stands at the JSON pointer `at`. */
export function at(value: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((found, name) => (found as Fields | undefined)?.[name], value);
}

/** The document with a way out led somewhere else; to nowhere it is removed, where it may be. */
export function connect(document: Document, from: string, exit: string, to: string): Document {
  const node = document.nodes[from];
  const way = node && exits(node).find((one) => one.at === exit);
  if (node === undefined || way === undefined) return document;
  const part = to === "" && way.isOptional ? undefined : to;
  return change(document, from, put(node, exit, part));
}

/** The document with a step become another. */
export function change(document: Document, id: string, node: Node): Document {
  return { ...document, nodes: { ...document.nodes, [id]: node } };
}

/** The document without some steps; what led to them leads nowhere. */
export function remove(document: Document, gone: readonly string[]): Document {
  const nodes: Record<string, Node> = {};
  for (const [id, node] of Object.entries(document.nodes)) {
    if (gone.includes(id)) continue;
    nodes[id] = exits(node)
      .filter(({ to }) => gone.includes(to))
      .reduce((left, way) => put(left, way.at, way.isOptional ? undefined : ""), node);
  }
  const layout = Object.fromEntries(
    Object.entries(document.layout ?? {}).filter(([id]) => !gone.includes(id)),
  );
  const { failure, ...rest } = document;
  const entry = gone.includes(document.entry) ? (Object.keys(nodes)[0] ?? "") : document.entry;
  const kept = failure != null && !gone.includes(failure) ? { failure } : {};
  return { ...rest, ...kept, entry, nodes, layout };
}

export type Place = { readonly x: number; readonly y: number };

/** The document with a new step; the first of all is where it begins. */
export function add(document: Document, id: string, node: Node, place: Place): Document {
  return {
    ...document,
    entry: document.nodes[document.entry] === undefined ? id : document.entry,
    nodes: { ...document.nodes, [id]: node },
    layout: { ...document.layout, [id]: { ...place, title: "" } },
  };
}

/** An id for a new step that no other has: `menu`, `menu-2`. */
export function freshId(document: Document, kind: Kind): string {
  for (let count = 1; ; count += 1) {
    const id = count === 1 ? kind : `${kind}-${count}`;
    if (document.nodes[id] === undefined) return id;
  }
}

/** The document with steps moved. */
export function move(document: Document, places: Readonly<Record<string, Place>>): Document {
  const layout = { ...document.layout };
  for (const [id, { x, y }] of Object.entries(places)) {
    layout[id] = { title: layout[id]?.title ?? "", x, y };
  }
  return { ...document, layout };
}

/** The document with a step called otherwise. */
export function rename(document: Document, id: string, title: string, place: Place): Document {
  const was = document.layout?.[id] ?? place;
  return { ...document, layout: { ...document.layout, [id]: { x: was.x, y: was.y, title } } };
}

/** A new step of a kind: nothing is said in it and it leads nowhere yet. */
export function fresh(kind: Kind): Node {
  const say: Say[] = [{ kind: "text", text: "" }];
  switch (kind) {
    case "hours":
      return { kind, calendar: { id: "" }, open: "", closed: "" };
    case "prompt":
      return { kind, say, next: "" };
    case "menu":
      return { kind, say, choices: [{ key: "1", to: "" }] };
    case "collect":
      return { kind, say, variable: "digits", min: 1, max: 11, next: "" };
    case "queue":
      return { kind, service: "" };
    case "flow":
      return { kind, flow: "" };
    case "return":
      return { kind };
    case "dial":
      return { kind, to: { number: "" } };
    case "lookup":
      return { kind, url: "https://", success: "" };
    case "set":
      return { kind, variable: "value", value: "", next: "" };
    case "condition":
      return {
        kind,
        cases: [{ all: [{ variable: "call.from", is: "starts-with", value: "" }], to: "" }],
        otherwise: "",
      };
    case "record":
      return { kind, say, service: "", next: "" };
    case "hang-up":
      return { kind, say };
  }
}

/** The names that texts and conditions may read: the document's own, what its steps set, the call's. */
export function variables(document: Document): string[] {
  const own = new Set(Object.keys(document.variables ?? {}));
  for (const node of Object.values(document.nodes)) {
    if (node.kind === "collect" || node.kind === "set") own.add(node.variable);
    if (node.kind === "lookup") for (const name of Object.keys(node.values ?? {})) own.add(name);
  }
  return [...own, ...OF_CALL];
}

const OF_CALL = [
  "call.from",
  "call.to",
  "call.protocol",
  "hours.opens_at",
  "hours.closes_at",
  "hours.holiday",
  "lookup.status",
  "record.seconds",
];
