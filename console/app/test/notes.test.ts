import { describe, expect, it } from "vitest";
import type { Message } from "../src/api/client";
import {
  asking,
  lastWord,
  marked,
  meant,
  mentioned,
  type Noted,
  rows,
} from "../src/pages/work/notes";

const message = (id: string, at_ms: number): Message => ({
  id,
  seq: at_ms,
  direction: "inbound",
  author: { kind: "customer", name: "Clara" } as never,
  content: { kind: "text", text: id } as never,
  attachments: [],
  at_ms,
});

const note = (text: string, at_ms: number): Noted => ({ text, at_ms, name: "Ana", mentions: [] });

/** The rows in words. */
const told = (all: Message[], notes: Noted[]) =>
  rows(all, notes).map((row) =>
    row.kind === "note" ? row.note.text : row.group.items.map(({ id }) => id).join("+"),
  );

describe("notes among messages", () => {
  it("stand where they were written, and part what else would stand together", () => {
    const all = [message("a", 1_000), message("b", 2_000), message("c", 4_000)];
    expect(told(all, [])).toEqual(["a+b+c"]);
    expect(told(all, [note("n", 3_000)])).toEqual(["a+b", "n", "c"]);
  });

  it("stand before the first and after the last too, in their own order", () => {
    const all = [message("a", 2_000)];
    expect(told(all, [note("z", 9_000), note("y", 3_000), note("x", 1_000)])).toEqual([
      "x",
      "a",
      "y",
      "z",
    ]);
    expect(told([], [note("n", 1)])).toEqual(["n"]);
  });
});

describe("a word of who had it before", () => {
  const by = (who: string, at_ms: number): Noted => ({ ...note(who, at_ms), by: who });

  it("is the last one before it was taken, unless it is one's own", () => {
    const all = [by("ana", 1), by("bia", 2), by("ana", 9)];
    expect(lastWord(all, "me", 5)?.text).toBe("bia");
    expect(lastWord(all, "me", 9)?.text).toBe("ana");
    expect(lastWord(all, "bia", 5)).toBeUndefined();
    expect(lastWord([], "me", 5)).toBeUndefined();
  });
});

describe("a mention", () => {
  const all = [
    { id: "1", name: "Ana" },
    { id: "2", name: "Ana Luísa" },
    { id: "3", name: "Bruno" },
  ];

  it("begins behind an at sign that begins a word", () => {
    expect(asking("oi @br", 6)).toEqual({ at: 3, letters: "br" });
    expect(asking("@", 1)).toEqual({ at: 0, letters: "" });
    expect(asking("ana@br", 6)).toBe(undefined);
    expect(asking("oi @br uno", 10)).toBe(undefined);
  });

  it("is meant by how any word of a name begins", () => {
    expect(meant(all, "lu").map(({ id }) => id)).toEqual(["2"]);
    expect(meant(all, "").map(({ id }) => id)).toEqual(["1", "2", "3"]);
    expect(meant(all, "na")).toEqual([]);
  });

  it("counts where the whole name stands by itself", () => {
    expect(mentioned("@Bruno, vê isto?", all)).toEqual(["3"]);
    expect(mentioned("@Brunonildo", all)).toEqual([]);
    expect(mentioned("Bruno e @Ana Luísa", all)).toEqual(["2"]);
    expect(mentioned("@Ana e @Bruno", all)).toEqual(["3", "1"]);
  });

  it("is shown apart from what is around it", () => {
    expect(marked("vê isto, @Bruno?")).toEqual([
      { text: "vê isto, ", isName: false },
      { text: "@Bruno", isName: true },
      { text: "?", isName: false },
    ]);
    expect(marked("a @ b")).toEqual([{ text: "a @ b", isName: false }]);
  });
});
