// The tree of dispositions while it is being changed. Nothing in here is asked or drawn.

import { fields, list, text } from "../../../api/open";

/** What an agent is asked when they choose a code. */
export type Field = {
  readonly name: string;
  readonly required: boolean;
  readonly kind: "text" | "number" | { readonly choice: readonly string[] };
};

/** What happens when a code is chosen. */
export type Action =
  | { readonly message: string }
  | { readonly survey: string }
  | { readonly reopen: "asked" | { readonly after_ms: number } }
  | { readonly return_to_bot: string };

/** A code, or a heading with codes below it. */
export type Node = {
  readonly id: string;
  readonly name: string;
  readonly children: readonly Node[];
  readonly fields: readonly Field[];
  readonly actions: readonly Action[];
};

/** Where a node stands: the place in each level, from the root. */
export type Path = readonly number[];

/** As deep as the program takes. */
export const DEPTH_MAX = 6;

export function tree(value: readonly unknown[]): readonly Node[] {
  return value.map((one) => {
    const { id, name, children, fields: asked, actions } = fields(one);
    return {
      id: text(id),
      name: text(name),
      children: tree(list(children)),
      fields: list(asked) as readonly Field[],
      actions: list(actions) as readonly Action[],
    };
  });
}

/** Whether something that an agent is asked has no words. */
export function asksNothing({ fields }: Node): boolean {
  return fields.some(({ name }) => name.trim() === "");
}

/** Whether a code has no name, or asks for something that has none: nobody could choose or answer it. */
export function isNameless(nodes: readonly Node[]): boolean {
  return nodes.some(
    (node) => node.name.trim() === "" || asksNothing(node) || isNameless(node.children),
  );
}

/** The tree with another node at a place, or with none there. */
export function put(
  nodes: readonly Node[],
  path: Path,
  change: (node: Node) => Node | undefined,
): readonly Node[] {
  const [place, ...below] = path;
  return nodes.flatMap((node, at) => {
    if (at !== place) return [node];
    if (below.length > 0) return [{ ...node, children: put(node.children, below, change) }];
    const changed = change(node);
    return changed === undefined ? [] : [changed];
  });
}

/** The tree with one more below a place; at the root where there is none. A heading asks and does nothing itself. */
export function add(nodes: readonly Node[], path: Path, id: string): readonly Node[] {
  const made: Node = { id, name: "", children: [], fields: [], actions: [] };
  if (path.length === 0) return [...nodes, made];
  return put(nodes, path, (node) => ({
    ...node,
    fields: [],
    actions: [],
    children: [...node.children, made],
  }));
}

/** The tree with a node a place further up or down among its siblings. */
export function move(nodes: readonly Node[], path: Path, by: -1 | 1): readonly Node[] {
  const [place, ...below] = path;
  if (place === undefined) return nodes;
  if (below.length > 0) {
    return put(nodes, [place], (node) => ({ ...node, children: move(node.children, below, by) }));
  }
  const to = place + by;
  const moved = nodes[place];
  const other = nodes[to];
  if (moved === undefined || other === undefined) return nodes;
  return nodes.map((node, at) => (at === place ? other : at === to ? moved : node));
}
