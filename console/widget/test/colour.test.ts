import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contrastOf, palette, SURFACES } from "../src/colour.ts";

/** Colours evenly over the whole cube. */
function* colours(): Generator<string> {
  const parts = ["00", "33", "66", "99", "cc", "ff"];
  for (const red of parts) {
    for (const green of parts) for (const blue of parts) yield `#${red}${green}${blue}`;
  }
}

test("whatever colour a company has, what stands on it and is written in it can be read", () => {
  for (const colour of colours()) {
    for (const theme of ["light", "dark"] as const) {
      const { brand, onBrand, accent } = palette(colour, theme);
      expect(brand).toBe(colour);
      expect(contrastOf(brand, onBrand), colour).toBeGreaterThanOrEqual(4.5);
      for (const surface of SURFACES[theme]) {
        expect(contrastOf(accent, surface), `${colour} ${theme}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  }
});

test("a colour that can be read is left as it is, and what is none becomes ours", () => {
  expect(palette("#1f6f5c", "light").accent).toBe("#1f6f5c");
  expect(palette("#ffd54f", "dark").accent).toBe("#ffd54f");
  for (const odd of ["", "red", "#fff", "#12345g", "#1234567", "url(//x)"]) {
    expect(palette(odd, "light").brand).toBe("#176b5b");
  }
});

test("black on white has the contrast 21, and a colour on itself 1", () => {
  expect(contrastOf("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrastOf("#777777", "#777777")).toBe(1);
});

test("the style has the surfaces that colours are made for", () => {
  const style = readFileSync(join(import.meta.dirname, "../src/frame.css"), "utf8");
  const found = (name: string) =>
    [...style.matchAll(RegExp(`--${name}: (#\\w+)`, "g"))].map(([, hex]) => hex);
  expect(found("surface")).toEqual([SURFACES.light[0], SURFACES.dark[0]]);
  expect(found("raised")).toEqual([SURFACES.light[1], SURFACES.dark[1]]);
});
