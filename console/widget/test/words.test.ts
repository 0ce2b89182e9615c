import { expect, test } from "vitest";
import { LANGUAGES, languageOf } from "../src/config.ts";
import { chosen, day, said, size, WORDS, when } from "../src/words.ts";

/** The names of all words, and of those within. */
function names(of: object): string[] {
  return Object.entries(of).flatMap(([name, value]) =>
    typeof value === "object" ? names(value).map((inner) => `${name}.${inner}`) : [name],
  );
}

test("every language says everything, in words of its own", () => {
  const all = names(WORDS["pt-BR"]);
  for (const language of LANGUAGES) {
    expect(names(WORDS[language])).toEqual(all);
    expect(JSON.stringify(WORDS[language])).not.toContain('""');
  }
  expect(WORDS.en.send).not.toBe(WORDS.es.send);
});

test("one is told in the singular", () => {
  for (const language of LANGUAGES) {
    const words = WORDS[language];
    for (const say of [
      words.newMessages,
      words.charactersLeft,
      words.charactersOver,
      words.survey.star,
    ]) {
      expect(say(1)).not.toBe(say(2).replace("2", "1"));
      expect(say(12)).toContain("12");
    }
  }
});

test("the language is the page's, else the browser's, else Portuguese", () => {
  expect(chosen("es-AR", ["en-US"])).toBe("es");
  expect(chosen("pt", [])).toBe("pt-BR");
  expect(chosen("de", ["fr-CH", "en-GB", "pt-BR"])).toBe("en");
  expect(chosen(null, ["fr"])).toBe("pt-BR");
  expect(languageOf("PT-pt")).toBe("pt-BR");
  expect(languageOf("")).toBeUndefined();
});

test("what the company wrote in one language serves in all", () => {
  expect(said({ "pt-BR": "Oi", es: "Hola" }, "es")).toBe("Hola");
  expect(said({ "pt-BR": "Oi" }, "en")).toBe("Oi");
  expect(said({}, "en")).toBeUndefined();
});

test("days and lengths are said as people say them", () => {
  const noon = new Date(2026, 10, 22, 12).getTime();
  expect(day(noon - 3_600_000, noon, "pt-BR")).toBe("Hoje");
  expect(day(noon - 86_400_000, noon, "es")).toBe("Ayer");
  expect(day(noon - 7 * 86_400_000, noon, "en")).toContain("November 15");
  expect(when(noon + 3_600_000, noon, "pt-BR")).toBe("13:00");
  expect(when(noon + 86_400_000, noon, "pt-BR")).toContain("segunda-feira");
  expect(size(812, "pt-BR")).toBe("0,8 kB");
  expect(size(2_340_000, "en")).toBe("2.3 MB");
});
