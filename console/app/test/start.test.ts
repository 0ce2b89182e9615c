import { describe, expect, it } from "vitest";
import { done, type Has, led, next } from "../src/pages/settings/start/steps";

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

describe("the number of the test call", () => {
  const number = (number: string, flow: string | null, created_ms: number, disabled = false) => ({
    number,
    flow,
    created_ms,
    disabled,
  });

  it("is of those that lead to something published, the last that was made first", () => {
    const flows = [{ id: "heard", published: 1 }, { id: "draft" }];
    const all = [
      number("1", "heard", 1),
      number("2", "heard", 2),
      number("3", "draft", 3),
      number("4", null, 4),
      number("5", "heard", 5, true),
    ];
    expect(led(all, flows).map((one) => one.number)).toEqual(["2", "1"]);
  });
});
