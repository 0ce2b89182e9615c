import { describe, expect, it } from "vitest";
import { firstPage, may, sees, setsUp } from "../src/api/may";

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

describe("the pages of somebody", () => {
  const of = (...areas: readonly string[]) => ({
    permissions: Object.fromEntries(areas.map((area) => [area, { level: "view" } as const])),
  });

  it("are those of the areas that they may see", () => {
    expect(sees(of("reports"), "reports")).toBe(true);
    expect(sees(of("reports"), "trace")).toBe(false);
    expect(sees(of("flows"), "prompts")).toBe(true);
    expect(sees(of("people"), "settings")).toBe(false);
    expect(sees({ permissions: { people: { level: "change" } } }, "settings")).toBe(true);
  });

  it("begin with the wall, and with the first that they may see", () => {
    expect(firstPage(of("flows", "desk"))).toBe("wall");
    expect(firstPage(of("flows", "reports"))).toBe("reports");
    expect(firstPage(of())).toBeUndefined();
  });
});
