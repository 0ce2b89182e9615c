import { describe, expect, it } from "vitest";
import { add, move, type Node, put, tree } from "../src/pages/settings/services/tree";

const names = (nodes: readonly Node[]): unknown =>
  nodes.map(({ name, children }) => (children.length > 0 ? [name, names(children)] : name));

const kept = tree([
  {
    id: "a",
    name: "A",
    children: [
      { id: "b", name: "B" },
      { id: "c", name: "C" },
    ],
  },
  { id: "d", name: "D", fields: [{ name: "Valor", required: true, kind: "number" }] },
]);

describe("the tree of dispositions", () => {
  it("is read with what the program leaves out", () => {
    expect(names(kept)).toEqual([["A", ["B", "C"]], "D"]);
    expect(kept[0]?.fields).toEqual([]);
    expect(kept[1]?.fields).toHaveLength(1);
  });

  it("gets one more below a heading, which then asks nothing itself", () => {
    const more = add(kept, [1], "e");
    expect(more[1]).toMatchObject({ fields: [], children: [{ id: "e", name: "" }] });
    expect(names(add(kept, [], "e"))).toEqual([["A", ["B", "C"]], "D", ""]);
  });

  it("changes and loses what stands at a place", () => {
    expect(names(put(kept, [0, 1], (node) => ({ ...node, name: "X" })))).toEqual([
      ["A", ["B", "X"]],
      "D",
    ]);
    expect(names(put(kept, [0, 0], () => undefined))).toEqual([["A", ["C"]], "D"]);
  });

  it("moves what stands in it among its siblings, and not beyond them", () => {
    expect(names(move(kept, [0, 1], -1))).toEqual([["A", ["C", "B"]], "D"]);
    expect(names(move(kept, [1], -1))).toEqual(["D", ["A", ["B", "C"]]]);
    expect(move(kept, [1], 1)).toBe(kept);
  });
});
