import { describe, expect, it } from "vitest";
import { type Entry, sought } from "../src/pages/shell/found";

const entry = (name: string, group: string, more?: string): Entry => ({
  id: name,
  name,
  group,
  ...(more === undefined ? {} : { more }),
  does: () => {},
});

const ALL = [
  entry("Maria Clara", "work", "Vendas · 2026001"),
  entry("Clara", "work", "Suporte · 2026002"),
  entry("Atendimento", "go"),
  entry("Configurações", "go"),
  entry("Pausar: Almoço", "do"),
];

const names = (typed: string) => sought(ALL, typed).map(({ name }) => name);

describe("what is found by a few letters", () => {
  it("is everything where nothing was typed", () => {
    expect(names("  ")).toEqual(ALL.map(({ name }) => name));
  });

  it("is what has a word that begins so, without accents and capitals", () => {
    expect(names("configuracoes")).toEqual(["Configurações"]);
    expect(names("ALMO")).toEqual(["Pausar: Almoço"]);
    expect(names("lmoço")).toEqual([]);
  });

  it("has all the words that were typed, in whatever order", () => {
    expect(names("cla mar")).toEqual(["Maria Clara"]);
    expect(names("clara suporte")).toEqual(["Clara"]);
    expect(names("2026001")).toEqual(["Maria Clara"]);
  });

  it("begins with what begins so, and keeps the groups in their order", () => {
    expect(names("clara")).toEqual(["Clara", "Maria Clara"]);
    expect(names("a")).toEqual(["Atendimento", "Pausar: Almoço"]);
  });
});
