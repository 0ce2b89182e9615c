import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keeper, PAUSE_MS } from "../src/pages/ura/keeper";

describe("a draft that is saved while it is written", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is saved once when nobody has written for a moment", async () => {
    const save = vi.fn(async (revision: number) => revision + 1);
    const kept = keeper<string>(4, "", save);
    kept.change("a");
    await vi.advanceTimersByTimeAsync(PAUSE_MS - 1);
    kept.change("ab");
    await vi.advanceTimersByTimeAsync(PAUSE_MS - 1);
    expect(save).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(save.mock.calls).toEqual([[4, "ab"]]);
    expect(kept.store.now()).toEqual({ value: "ab", revision: 5, is: "saved" });
  });

  it("is saved again over the new revision when it changed while it was being saved", async () => {
    const done: ((revision: number) => void)[] = [];
    const save = vi.fn((_: number, __: string) => new Promise<number>((ok) => done.push(ok)));
    const kept = keeper<string>(1, "", save);
    kept.change("a");
    const all = kept.flush();
    kept.change("b");
    expect(kept.store.now().is).toBe("saving");
    done[0]?.(2);
    await vi.advanceTimersByTimeAsync(0);
    done[1]?.(3);
    await expect(all).resolves.toBe(true);
    expect(save.mock.calls).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
    expect(save).toHaveBeenCalledTimes(2);
  });

  it("is not saved over what somebody else wrote until that is insisted on", async () => {
    const save = vi.fn(async (revision: number, _: string) => {
      return revision < 7 ? ("conflict" as const) : revision + 1;
    });
    const kept = keeper<string>(1, "", save);
    kept.change("mine");
    await expect(kept.flush()).resolves.toBe(false);
    expect(kept.store.now().is).toBe("conflict");
    kept.change("mine!");
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
    expect(save).toHaveBeenCalledTimes(1);
    await expect(kept.insist(7)).resolves.toBe(true);
    expect(save.mock.lastCall).toEqual([7, "mine!"]);
    expect(kept.store.now()).toEqual({ value: "mine!", revision: 8, is: "saved" });
  });

  it("stays as it was written where it cannot be saved, and is tried again on demand", async () => {
    let isAway = true;
    const kept = keeper<string>(1, "", async (revision, _: string) => {
      if (isAway) throw new Error("away");
      return revision + 1;
    });
    kept.change("a");
    await expect(kept.flush()).resolves.toBe(false);
    expect(kept.store.now()).toMatchObject({ value: "a", is: "failed" });
    isAway = false;
    await expect(kept.flush()).resolves.toBe(true);
  });
});
