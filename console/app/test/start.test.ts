import { describe, expect, it } from "vitest";
import { done, type Has, next } from "../src/pages/settings/start/steps";

const nothing: Has = { services: [], users: [], flows: [], numbers: [], interactions: [] };

describe("the way to the first call", () => {
  it("begins with a service", () => {
    expect(next(done(nothing))).toBe("service");
  });

  it("is not gone on by administrators, drafts and numbers that nothing answers", () => {
    const half: Has = {
      ...nothing,
      services: [{}],
      users: [{ role: "administrator" }],
      flows: [{ published: null }],
      numbers: [{ flow: null }],
    };
    expect([...done(half)]).toEqual(["service"]);
    expect(next(done(half))).toBe("agent");
  });

  it("ends with a call", () => {
    const all: Has = {
      services: [{}],
      users: [{ role: "agent" }],
      flows: [{ published: 1 }],
      numbers: [{ flow: "a" }],
      interactions: [{}],
    };
    expect(next(done(all))).toBeUndefined();
  });
});
