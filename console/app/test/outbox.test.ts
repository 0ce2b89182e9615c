import { describe, expect, it } from "vitest";
import { became, kept, next, type Outbox, put, type Sending, without } from "../src/live/outbox";

const sending = (id: string, interaction = "i"): Sending => ({
  id,
  interaction,
  body: { text: id },
  text: id,
  files: [],
  atMs: 0,
  state: { is: "stuck" },
});

const box = (...ids: string[]): Outbox =>
  ids.reduce<Outbox>((all, id) => put(all, sending(id)), []);

describe("what is written", () => {
  it("goes one at a time, the first first", () => {
    const all = box("a", "b");
    expect(next(all, "i")?.id).toBe("a");
    const going = became(all, "a", { is: "going" });
    expect(next(going, "i")).toBeUndefined();
    expect(next(without(going, "a"), "i")?.id).toBe("b");
  });

  it("goes again where the page was loaded anew while it went", () => {
    const going = became(box("a", "b"), "a", { is: "going" });
    expect(next(kept(going), "i")?.id).toBe("a");
  });

  it("does not wait for another conversation", () => {
    const all = became(put(box("a"), sending("x", "other")), "a", { is: "going" });
    expect(next(all, "other")?.id).toBe("x");
  });

  it("is not held up by what was refused, which stays until somebody decides", () => {
    const all = became(box("a", "b"), "a", { is: "refused", why: "no", isFinal: true });
    expect(next(all, "i")?.id).toBe("b");
    expect(all).toHaveLength(2);
    expect(next(became(all, "a", { is: "stuck" }), "i")?.id).toBe("a");
  });

  it("is there once under its id", () => {
    expect(put(box("a", "b"), sending("a")).map((one) => one.id)).toEqual(["b", "a"]);
  });
});
