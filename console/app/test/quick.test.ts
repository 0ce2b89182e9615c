import { describe, expect, it } from "vitest";
import type { QuickReply, Work } from "../src/api/client";
import { filled, meant, placed, typed } from "../src/pages/work/slash";

const reply = (shortcut: string, text: string, services: string[] = []): QuickReply => ({
  id: shortcut,
  company: "c",
  shortcut,
  text,
  services,
  created_ms: 1,
  updated_ms: 1,
});

describe("quick replies", () => {
  it("are asked for by a slash that begins a word", () => {
    expect(typed("/", 1)).toEqual({ at: 0, letters: "" });
    expect(typed("Oi /olá-1", 9)).toEqual({ at: 3, letters: "olá-1" });
    expect(typed("Oi\n/pr", 6)).toEqual({ at: 3, letters: "pr" });
    expect(typed("/prazo depois", 3)).toEqual({ at: 0, letters: "pr" });
    for (const other of ["", "oi", "24/7", "https://a", "/a b"]) {
      expect(typed(other, other.length)).toBeUndefined();
    }
  });

  it("are those whose letters begin so, then those that say so, of the service alone", () => {
    const all = [
      reply("tchau", "Até logo!"),
      reply("prazo", "Chega em 3 dias."),
      reply("preço", "Logo vejo.", ["vendas"]),
      reply("logo", "Já volto.", ["suporte"]),
    ];
    const shortcuts = (letters: string, service: string) =>
      meant(all, letters, service).map(({ shortcut }) => shortcut);
    expect(shortcuts("", "vendas")).toEqual(["prazo", "preço", "tchau"]);
    expect(shortcuts("PR", "suporte")).toEqual(["prazo"]);
    expect(shortcuts("logo", "suporte")).toEqual(["logo", "tchau"]);
    expect(shortcuts("nada", "vendas")).toEqual([]);
    const many = Array.from({ length: 20 }, (_, n) => reply(`r${n}`, "x"));
    expect(meant(many, "r", "vendas")).toHaveLength(6);
  });

  it("are filled in and stand in the place of what was typed", () => {
    const work = { customer: "Ana", protocol: "123", service_name: "Vendas" } as Work;
    const text = filled("Oi, {{name}}! {{agent}}, {{ service }} {{protocol}}{{odd}}", work, "Bia");
    expect(text).toBe("Oi, Ana! Bia, Vendas 123");
    const where = typed("Bom dia /ol", 11);
    expect(where && placed("Bom dia /ol, tudo?", where, "Oi")).toEqual({
      text: "Bom dia Oi, tudo?",
      caret: 10,
    });
  });
});
