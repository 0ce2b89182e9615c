// The company's colour, and what stands on it or is written in it, so that everybody can read it.

type Rgb = readonly [number, number, number];

/** The colours that follow from the company's. */
export interface Palette {
  /** As the company gave it. */
  brand: string;
  /** What is written on it. */
  onBrand: string;
  /** The same for words and lines on the surfaces of a theme. */
  accent: string;
}

/** What words stand on, by theme: the plain surface and the one of bubbles. */
export const SURFACES = {
  light: ["#ffffff", "#f2f3f5"],
  dark: ["#15181d", "#23272f"],
} as const;

/** Makes the palette of a colour `#rrggbb`. What is not one becomes ours. */
export function palette(colour: string, theme: "light" | "dark"): Palette {
  const rgb = parse(colour) ?? OURS;
  const onBrand = contrast(rgb, WHITE) >= READABLE ? WHITE : BLACK;
  const grounds = SURFACES[theme].map((surface) => parse(surface) ?? WHITE);
  const toward = theme === "light" ? BLACK : WHITE;
  let accent = rgb;
  for (let part = 0; part <= 1 && !isReadable(accent, grounds); part += STEP) {
    accent = mix(rgb, toward, part);
  }
  return { brand: text(rgb), onBrand: text(onBrand), accent: text(accent) };
}

/** The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrastOf(one: string, other: string): number {
  return contrast(parse(one) ?? WHITE, parse(other) ?? WHITE);
}

function isReadable(colour: Rgb, grounds: readonly Rgb[]): boolean {
  return grounds.every((ground) => contrast(colour, ground) >= READABLE);
}

function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

// WCAG 2.2, "relative luminance".
function luminance([red, green, blue]: Rgb): number {
  const linear = (part: number) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function mix(one: Rgb, other: Rgb, part: number): Rgb {
  const between = (at: 0 | 1 | 2) => Math.round(one[at] + (other[at] - one[at]) * part);
  return [between(0), between(1), between(2)];
}

function parse(colour: string): Rgb | undefined {
  const [, red, green, blue] = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return undefined;
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}

function text(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** WCAG 2.2 section 1.4.3, level AA. */
const READABLE = 4.5;

/** How far a colour moves at once on its way to black or white. */
const STEP = 0.02;

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/** Who has no colour gets this one. */
const OURS: Rgb = [23, 107, 91];
