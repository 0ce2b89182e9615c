import { describe, expect, it } from "vitest";
import {
  type Document,
  everOpens,
  type Finding,
  fieldOf,
  firstForm,
  keysOf,
  moved,
  same,
  saysTheSame,
  servicesMax,
} from "../src/pages/ura/document";

const offers = (count: number) =>
  Array.from({ length: count }, (_, place) => ({ service: `s${place}`, name: `S${place}` }));

const finding = (node: string | undefined): Finding => ({
  severity: "error",
  code: "no-such-service",
  ...(node === undefined ? {} : { node }),
  field: "/service",
  detail: "",
  sentence: "",
});

describe("the simple form", () => {
  it("gives its services the keys in order, and passes over the one that says it again", () => {
    expect(keysOf({ services: offers(3) })).toEqual(["1", "2", "3"]);
    expect(keysOf({ services: offers(3), repeat_key: "2" })).toEqual(["1", "3", "4"]);
    expect(keysOf({ services: offers(10) }).at(-1)).toBe("0");
    expect(keysOf({ services: offers(1) })).toEqual([""]);
  });

  it("has a service less where a digit says the menu again, and not where a sign does", () => {
    expect(servicesMax({})).toBe(10);
    expect(servicesMax({ repeat_key: "9" })).toBe(9);
    expect(servicesMax({ repeat_key: "*" })).toBe(10);
  });

  it("says at its own fields what is wrong with the flow that it makes", () => {
    expect(fieldOf(finding("hours"))).toEqual({ field: "hours" });
    expect(fieldOf(finding("service-2"))).toEqual({ field: "services", place: 1 });
    expect(fieldOf(finding("gave-up"))).toBeUndefined();
    expect(fieldOf(finding(undefined))).toBeUndefined();
  });

  it("begins with a service for each key but the one that says it again", () => {
    const texts = { welcome: "Olá!", closed: "Fechado.", unanswered: "Ninguém." };
    const of = (count: number) =>
      firstForm({ language: "pt-BR", hours: { id: "c" }, services: offers(count), texts });
    expect(of(12).services).toHaveLength(9);
    expect(of(2).repeat_key).toBe("9");
    expect(of(1).repeat_key).toBeUndefined();
    expect(of(1).welcome).toEqual({ kind: "text", text: "Olá!" });
  });
});

describe("the hours of a calendar", () => {
  it("are none where no day and no date has any", () => {
    const monday = [{ from: "08:00", to: "18:00" }];
    expect(everOpens({ schedule: "always" })).toBe(true);
    expect(everOpens({ schedule: { weekly: {} } })).toBe(false);
    expect(everOpens({ schedule: { weekly: { monday: [], sunday: [] } } })).toBe(false);
    expect(everOpens({ schedule: { weekly: { monday } } })).toBe(true);
    const of = (hours: unknown) => ({ schedule: { weekly: {} }, dates: [{ hours }] });
    expect(everOpens(of("closed"))).toBe(false);
    expect(everOpens(of({ open: monday }))).toBe(true);
  });
});

describe("documents", () => {
  const flow: Document = { format: 1, entry: "a", nodes: { a: { kind: "return" } } };

  it("say the same wherever they are drawn", () => {
    expect(saysTheSame(flow, { ...flow, layout: { a: { x: 1, y: 2 } } })).toBe(true);
    expect(saysTheSame(flow, { ...flow, nodes: { a: { kind: "hang-up" } } })).toBe(false);
    expect(saysTheSame(flow, { ...flow, failure: null })).toBe(true);
  });

  it("are the same whatever the order of their names, and not of their lists", () => {
    expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same([], {})).toBe(false);
    expect(same(0, null)).toBe(false);
  });

  it("have things moved to where they are dropped", () => {
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  });
});
