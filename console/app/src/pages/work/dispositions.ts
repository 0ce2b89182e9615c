// The codes with which work is closed: a tree, of which only the ends can be chosen. No browser in here.

import { fields, list, text } from "../../api/open";

export type Field = {
  readonly name: string;
  readonly required: boolean;
  readonly isNumber: boolean;
  /** What may be filled in, where that is a choice. */
  readonly choices: readonly string[];
};

export type Leaf = {
  readonly id: string;
  /** The names from the root to it. */
  readonly path: readonly string[];
  readonly fields: readonly Field[];
};

export function leaves(tree: readonly unknown[], above: readonly string[] = []): readonly Leaf[] {
  return tree.flatMap((one) => {
    const { id, name, children, fields: asked } = fields(one);
    const path = [...above, text(name)];
    const below = list(children);
    if (below.length > 0) return leaves(below, path);
    return [{ id: text(id), path, fields: list(asked).map(field) }];
  });
}

function field(one: unknown): Field {
  const { name, required, kind } = fields(one);
  return {
    name: text(name),
    required: required === true,
    isNumber: kind === "number",
    choices: list(fields(kind).choice).map(text),
  };
}
