import { describe, expect, it } from "vitest";
import { changes, type Line, nameOf } from "../src/pages/settings/access/deeds";

const line = (id: string, action: string, target: string, detail: object): Line => ({
  id,
  action,
  target,
  detail: detail as Line["detail"],
  at_ms: 0,
  remote: "",
});

describe("the log", () => {
  const lines = [
    line("4", "pause.delete", "p", {}),
    line("3", "user.update", "u", { role: "supervisor", disabled: false }),
    line("2", "user.create", "u", { role: "agent", disabled: false }),
    line("1", "pause.create", "p", { name: "Almoço" }),
  ];
  const at = (place: number) => lines[place] as Line;

  it("names what is gone as it was last called, and the rest as it is called now", () => {
    const named = nameOf(lines, new Map([["u", "Ana"]]));
    expect(named("p")).toBe("Almoço");
    expect(named("u")).toBe("Ana");
    expect(named("x")).toBe("");
  });

  it("shows what changed beside what was before", () => {
    expect(changes(at(1), lines)).toEqual([{ field: "role", was: "agent", is: "supervisor" }]);
    expect(changes(at(2), lines)).toEqual([
      { field: "role", is: "agent" },
      { field: "disabled", is: false },
    ]);
  });

  it("believes what a line says of before and after", () => {
    const told = line("5", "trunk.update", "t", {
      before: { host: "a", port: 1 },
      after: { host: "b", port: 1 },
    });
    expect(changes(told, [told])).toEqual([{ field: "host", was: "a", is: "b" }]);
    const pairs = line("6", "trunk.update", "t", { changes: { host: ["a", "b"] } });
    expect(changes(pairs, [pairs])).toEqual([{ field: "host", was: "a", is: "b" }]);
  });
});
