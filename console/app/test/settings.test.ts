import { describe, expect, it } from "vitest";
import { matches } from "../src/pages/settings/parts/matches";
import { same } from "../src/pages/settings/parts/same";

describe("what is sought in a list", () => {
  it("is found without its accents, in any case and order", () => {
    expect(matches("Reunião de São Paulo", "paulo REUNIAO")).toBe(true);
  });

  it("must be there word by word", () => {
    expect(matches("Reunião", "reunião paulo")).toBe(false);
  });

  it("is everything, where nothing is sought", () => {
    expect(matches("Almoço", "")).toBe(true);
  });
});

describe("a form", () => {
  it("is as it was when what was changed is changed back, whatever the order of its fields", () => {
    expect(same({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 })).toBe(true);
    expect(same({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
    expect(same({ a: [] }, { a: {} })).toBe(false);
  });

  it("takes a field that is not there for one that is empty", () => {
    expect(same({ a: 1 }, { a: 1, b: null })).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: 0 })).toBe(false);
  });
});
