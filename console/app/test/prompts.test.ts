import { describe, expect, it } from "vitest";
import { promptsIn, promptsOf, usesOf } from "../src/pages/prompts/uses";
import { cut, loudness, wav } from "../src/pages/prompts/wav";
import type { Document } from "../src/pages/ura/document";

describe("a recording that is cut", () => {
  const left = Float32Array.from([0, 0.5, 1, 0.5]);
  const right = Float32Array.from([0, 0.5, 0, -0.5]);

  it("keeps what lies between the two moments, on one channel", () => {
    expect([...cut([left, right], 2, 0.5, 1.5)]).toEqual([0.5, 0.5]);
    expect([...cut([left], 2, -1, 9)]).toEqual([...left]);
    expect(cut([left], 2, 1.5, 1).length).toBe(0);
    expect(cut([], 2, 0, 1).length).toBe(0);
  });

  it("is a WAV file of 16 bits whose samples do not run over", () => {
    const file = new DataView(wav(Float32Array.from([0, 1, -2]), 8000));
    const text = (at: number, count: number) =>
      String.fromCharCode(...new Uint8Array(file.buffer, at, count));
    expect([text(0, 4), text(8, 8), text(36, 4)]).toEqual(["RIFF", "WAVEfmt ", "data"]);
    expect(file.byteLength).toBe(50);
    expect([file.getUint32(4, true), file.getUint32(24, true), file.getUint32(40, true)]).toEqual([
      42, 8000, 6,
    ]);
    const samples = [44, 46, 48].map((at) => file.getInt16(at, true));
    expect(samples).toEqual([0, 32767, -32767]);
  });

  it("is called low, good or high by its loudness", () => {
    expect([-40, -32, -19, -9, -3].map(loudness)).toEqual(["low", "good", "good", "good", "high"]);
  });
});

describe("where a prompt is used", () => {
  const flow = (prompt: string): Document => ({
    format: 1,
    entry: "a",
    nodes: {
      a: {
        kind: "menu",
        say: [{ kind: "text", text: "?" }],
        choices: [],
        invalid: { attempts: 3, say: [{ kind: "prompt", prompt }] },
      },
    },
  });

  it("is found however deep a flow names it, and a step of the same kind is none", () => {
    expect([...promptsIn(flow("p"))]).toEqual(["p"]);
    const step: Document = {
      format: 1,
      entry: "a",
      nodes: { a: { kind: "prompt", say: [], next: "a" } },
    };
    expect(promptsIn(step).size).toBe(0);
  });

  it("is found in all that a service plays", () => {
    const service = {
      music_prompt: "m",
      unanswered_prompt: null,
      announcements: [{ prompt: "a" }],
      calls: { recording_notice: "r" },
    };
    expect([...promptsOf(service)].sort()).toEqual(["a", "m", "r"]);
  });

  it("names flows by what is published or written, and services", () => {
    const flows = [
      { id: "f", name: "Loja", documents: [flow("old"), flow("new")] },
      { id: "g", name: "Filial", documents: [flow("other")] },
    ];
    const services = [{ id: "s", name: "Vendas", music_prompt: "old" }];
    expect(usesOf("old", flows, services)).toEqual([
      { kind: "flow", id: "f", name: "Loja" },
      { kind: "service", id: "s", name: "Vendas" },
    ]);
    expect(usesOf("new", flows, [])).toHaveLength(1);
    expect(usesOf("none", flows, services)).toEqual([]);
  });
});
