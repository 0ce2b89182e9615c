import { describe, expect, it } from "vitest";
import { may, setsUp } from "../src/api/may";

describe("what somebody may do", () => {
  const watches = { permissions: { desk: { level: "view" }, flows: { level: "change" } } } as const;

  it("is as far as the program says, and what comes before", () => {
    expect(may(watches, "desk", "view")).toBe(true);
    expect(may(watches, "desk", "change")).toBe(false);
    expect(may(watches, "flows", "view")).toBe(true);
    expect(may(watches, "flows", "change")).toBe(true);
  });

  it("is one's own where nothing is said, and for nobody", () => {
    expect(may(watches, "audit", "view")).toBe(false);
    expect(may(null, "desk", "view")).toBe(false);
  });

  it("is setting up where one such area may be changed", () => {
    expect(setsUp(watches)).toBe(false);
    expect(setsUp({ permissions: { people: { level: "change" } } })).toBe(true);
    expect(setsUp({ permissions: { people: { level: "view" } } })).toBe(false);
  });
});
