import { describe, expect, it } from "vitest";

/** Every sentence under its path. */
function all(words: object, above = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    const path = `${above}${key}`;
    if (typeof value === "string") found.set(path, value);
    else for (const [below, text] of all(value, `${path}.`)) found.set(below, text);
  }
  return found;
}

const blanks = (text: string | undefined) =>
  [...(text ?? "").matchAll(/\{\{(\w+)\}\}/g)].map(String).sort();

const files = import.meta.glob<object>("../src/words/**/{pt-BR,en,es}.ts", {
  eager: true,
  import: "default",
});
const areas = [...new Set(Object.keys(files).map((file) => file.replace(/[^/]+$/, "")))];

describe("the words", () => {
  it("are those of the window and of more than one area", () => {
    expect(areas.length).toBeGreaterThan(1);
  });

  it.each(areas.flatMap((area) => ["en", "es"].map((language) => [area, language] as const)))(
    "of %s are the same in %s, with the same blanks and nothing empty",
    (area, language) => {
      const ours = all(files[`${area}pt-BR.ts`] ?? {});
      const theirs = all(files[`${area}${language}.ts`] ?? {});
      expect([...theirs.keys()].sort()).toEqual([...ours.keys()].sort());
      for (const [path, text] of theirs) {
        expect(text.trim(), path).not.toBe("");
        expect(blanks(text), path).toEqual(blanks(ours.get(path)));
      }
    },
  );
});
