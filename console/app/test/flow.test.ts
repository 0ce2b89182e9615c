import { describe, expect, it } from "vitest";
import type { Document } from "../src/pages/ura/document";
import { compare } from "../src/pages/ura/flow/compare";
import {
  add,
  at,
  connect,
  exits,
  fresh,
  freshId,
  KINDS,
  put,
  remove,
  variables,
} from "../src/pages/ura/flow/graph";
import { back, begin, forth, went } from "../src/pages/ura/flow/history";
import { arrange, height, overlaps, placesOf, WIDTH } from "../src/pages/ura/flow/layout";

const flow: Document = {
  format: 1,
  entry: "hours",
  failure: "failed",
  nodes: {
    hours: { kind: "hours", calendar: { id: "c" }, open: "menu", closed: "bye" },
    menu: {
      kind: "menu",
      say: [],
      choices: [
        { key: "1", to: "sales" },
        { key: "2", to: "menu" },
      ],
      otherwise: "bye",
    },
    sales: { kind: "queue", service: "s", unanswered: "bye", leave: [{ key: "*", to: "bye" }] },
    bye: { kind: "hang-up" },
    failed: { kind: "hang-up", cause: "failure" },
  },
};

describe("the ways out of a step", () => {
  it("are its keys first, and what else may happen", () => {
    const of = (id: string) =>
      exits(flow.nodes[id] ?? fresh("return")).map(({ at, mark, to }) => [at, mark, to]);
    expect(of("menu")).toEqual([
      ["/choices/0/to", "1", "sales"],
      ["/choices/1/to", "2", "menu"],
      ["/otherwise", undefined, "bye"],
    ]);
    expect(of("sales")).toEqual([
      ["/unanswered", undefined, "bye"],
      ["/closed", undefined, ""],
      ["/leave/0/to", "*", "bye"],
    ]);
    expect(of("bye")).toEqual([]);
  });

  it("of a new step of any kind lead nowhere", () => {
    for (const kind of KINDS) {
      expect(exits(fresh(kind)).every(({ to }) => to === "")).toBe(true);
      expect(fresh(kind).kind).toBe(kind);
    }
  });

  it("are led elsewhere, and taken away where the step can do without", () => {
    const led = connect(flow, "menu", "/choices/1/to", "bye");
    expect(at(led.nodes.menu, "/choices/1")).toEqual({ key: "2", to: "bye" });
    expect(flow.nodes.menu).not.toBe(led.nodes.menu);
    expect(connect(flow, "menu", "/otherwise", "").nodes.menu).not.toHaveProperty("otherwise");
    expect(connect(flow, "hours", "/open", "").nodes.hours).toMatchObject({ open: "" });
    expect(connect(flow, "bye", "/next", "menu")).toBe(flow);
  });
});

describe("a document that is changed", () => {
  it("loses a step together with all that led to it", () => {
    const left = remove({ ...flow, layout: { bye: { x: 1, y: 2 } } }, ["bye"]);
    expect(left.nodes.hours).toMatchObject({ closed: "" });
    expect(left.nodes.menu).not.toHaveProperty("otherwise");
    expect(left.nodes.sales).toMatchObject({ leave: [{ key: "*", to: "" }] });
    expect(left.layout).toEqual({});
    expect(left.entry).toBe("hours");
  });

  it("begins elsewhere when its first step is gone, and fails nowhere when that is", () => {
    const left = remove(flow, ["hours", "failed"]);
    expect(left.entry).toBe("menu");
    expect(left).not.toHaveProperty("failure");
  });

  it("gives a new step an id of its own, and begins with the first of all", () => {
    expect(freshId(flow, "menu")).toBe("menu-2");
    expect(freshId(flow, "dial")).toBe("dial");
    const empty: Document = { format: 1, entry: "", nodes: {} };
    expect(add(empty, "menu", fresh("menu"), { x: 0, y: 0 }).entry).toBe("menu");
    expect(add(flow, "dial", fresh("dial"), { x: 0, y: 0 }).entry).toBe("hours");
  });

  it("is put together by pointers without touching what was", () => {
    const list = [{ a: 1 }, { a: 2 }];
    expect(put(list, "/1/a", 3)).toEqual([{ a: 1 }, { a: 3 }]);
    expect(put({ a: 1, b: 2 }, "/a", undefined)).toEqual({ b: 2 });
    expect(put({}, "/a/b", 1)).toEqual({ a: { b: 1 } });
    expect(list).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("reads what its steps set beside what every call has", () => {
    const collect = { ...fresh("collect"), variable: "cpf" } as Document["nodes"][string];
    const lookup = { kind: "lookup", url: "", success: "", values: { name: "/name" } } as const;
    const found = variables({ ...flow, variables: { pin: "" }, nodes: { collect, lookup } });
    expect(found.slice(0, 4)).toEqual(["pin", "cpf", "name", "call.from"]);
  });
});

describe("a document that says no places", () => {
  it("is drawn as a call goes, from left to right", () => {
    const places = arrange(flow);
    const x = (id: string) => places[id]?.x ?? Number.NaN;
    expect(x("hours")).toBe(0);
    expect(x("menu")).toBe(x("bye"));
    expect(x("menu")).toBeGreaterThan(WIDTH);
    expect(x("sales")).toBeGreaterThan(x("menu"));
    expect(x("failed")).toBe(x("sales"));
  });

  it("has no step upon another, however they lead to each other", () => {
    let seed = 7;
    const chance = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 200; round += 1) {
      const ids = Array.from({ length: 1 + chance(20) }, (_, place) => `n${place}`);
      const any = () => ids[chance(ids.length)] ?? "n0";
      const nodes = Object.fromEntries(
        ids.map((id) => {
          const choices = Array.from({ length: chance(5) }, (_, key) => ({
            key: String(key),
            to: any(),
          }));
          return [id, { kind: "menu" as const, say: [], choices }];
        }),
      );
      const one: Document = { format: 1, entry: any(), nodes };
      const places = arrange(one);
      expect(Object.keys(places).sort()).toEqual([...ids].sort());
      const room = ids.reduce((all, id) => all + height(one, id) + 40, 0);
      for (const [id, { y }] of Object.entries(places)) expect(y, id).toBeLessThan(2 * room);
      for (const [a, first] of Object.entries(places)) {
        for (const [b, second] of Object.entries(places)) {
          if (a >= b || first.x !== second.x) continue;
          const [high, low] = first.y < second.y ? [a, b] : [b, a];
          const bottom = (places[high]?.y ?? 0) + height(one, high);
          expect(bottom, `${a} and ${b}`).toBeLessThan(places[low]?.y ?? 0);
        }
      }
    }
  });

  it("is known to be crowded only where a step stands upon another", () => {
    const at = (x: number, y: number) => ({
      ...flow,
      layout: { hours: { x: 0, y: 0 }, bye: { x, y } },
    });
    expect(overlaps(flow)).toBe(false);
    expect(overlaps(at(WIDTH - 1, 20))).toBe(true);
    expect(overlaps(at(WIDTH, 20))).toBe(false);
    expect(overlaps(at(0, height(flow, "hours")))).toBe(false);
    expect(overlaps({ ...flow, layout: arrange(flow) })).toBe(false);
  });

  it("keeps the places that it says, and finds others for the rest below them", () => {
    const one = { ...flow, layout: { hours: { x: 5, y: 900, title: "" } } };
    const places = placesOf(one);
    expect(places.hours).toEqual({ x: 5, y: 900 });
    expect(Object.keys(places)).toHaveLength(5);
    for (const [id, { y }] of Object.entries(places)) {
      if (id !== "hours") expect(y).toBeGreaterThan(900);
    }
  });
});

describe("what was before", () => {
  it("is gone back to, and forth again until something else is done", () => {
    let history = went(went(begin("a"), "b", 0), "c", 1);
    history = back(history);
    expect(history.now).toBe("b");
    expect(forth(history).now).toBe("c");
    expect(back(back(history)).now).toBe("a");
    expect(forth(went(history, "d", 2)).now).toBe("d");
    expect(forth(begin("a")).now).toBe("a");
  });

  it("is one change as long as the same is written without a pause", () => {
    let history = went(begin(""), "a", 0, "text");
    history = went(history, "ab", 1_000, "text");
    expect(back(history).now).toBe("");
    expect(back(went(history, "abc", 9_000, "text")).now).toBe("ab");
    expect(back(went(history, "abd", 1_100, "title")).now).toBe("ab");
  });
});

describe("two documents", () => {
  it("differ by steps that came, went and changed, wherever these are drawn", () => {
    const { failed: _, ...kept } = flow.nodes;
    const next: Document = {
      ...flow,
      failure: null,
      layout: { menu: { x: 1, y: 1 } },
      nodes: { ...kept, bye: { kind: "hang-up", cause: "busy" }, dial: fresh("dial") },
    };
    expect(compare(flow, next)).toEqual([
      { what: "flow", fields: [{ field: "failure", was: "failed", is: null }] },
      {
        what: "changed",
        node: "bye",
        kind: "hang-up",
        fields: [{ field: "cause", was: undefined, is: "busy" }],
      },
      { what: "added", node: "dial", kind: "dial" },
      { what: "removed", node: "failed", kind: "hang-up" },
    ]);
    expect(compare(flow, flow)).toEqual([]);
  });
});
