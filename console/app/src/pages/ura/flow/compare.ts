// Two documents beside each other: which steps came, went and changed, and in what.

import { type Document, same } from "../document";

/** One thing about a step that is not as it was. */
export type Changed = { readonly field: string; readonly was: unknown; readonly is: unknown };

export type Difference =
  | { readonly what: "added" | "removed"; readonly node: string; readonly kind: string }
  | {
      readonly what: "changed";
      readonly node: string;
      readonly kind: string;
      readonly fields: readonly Changed[];
    }
  /** Of the flow itself: where it begins, its voice … */
  | { readonly what: "flow"; readonly fields: readonly Changed[] };

/** What is not as it was: first of the flow itself, then its steps as they stand. */
export function compare(was: Document, is: Document): Difference[] {
  const { nodes: wereNodes, layout: _, ...wasFlow } = was;
  const { nodes, layout: __, ...isFlow } = is;
  const ofFlow = changed(wasFlow, isFlow);
  const ids = [...new Set([...Object.keys(nodes), ...Object.keys(wereNodes)])];
  const ofNodes = ids.flatMap((node): Difference[] => {
    const [before, after] = [wereNodes[node], nodes[node]];
    if (before === undefined && after !== undefined) {
      return [{ what: "added", node, kind: after.kind }];
    }
    if (before !== undefined && after === undefined) {
      return [{ what: "removed", node, kind: before.kind }];
    }
    const fields = changed(before ?? {}, after ?? {});
    const kind = after?.kind ?? "";
    return fields.length === 0 ? [] : [{ what: "changed", node, kind, fields }];
  });
  return [...(ofFlow.length > 0 ? [{ what: "flow" as const, fields: ofFlow }] : []), ...ofNodes];
}

function changed(was: object, is: object): Changed[] {
  const of = (value: object, field: string) => (value as Record<string, unknown>)[field];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .map((field) => ({ field, was: of(was, field), is: of(is, field) }))
    .filter((one) => !same(one.was, one.is));
}
