import type { Option } from "./fields";

/** The time zones of the browser; Brazil's first, and the one that is kept in any case. */
export function zones(kept: string): readonly Option[] {
  const known = new Set([kept, ...Intl.supportedValuesOf("timeZone")]);
  const all = [...known].map((value) => ({ value, label: value.replaceAll("_", " ") }));
  const rank = ({ value }: Option) => (BRAZIL.includes(value) ? BRAZIL.indexOf(value) : 99);
  return all.sort((a, b) => rank(a) - rank(b) || a.label.localeCompare(b.label));
}

const BRAZIL = [
  "America/Sao_Paulo",
  "America/Bahia",
  "America/Fortaleza",
  "America/Recife",
  "America/Belem",
  "America/Cuiaba",
  "America/Campo_Grande",
  "America/Manaus",
  "America/Porto_Velho",
  "America/Boa_Vista",
  "America/Rio_Branco",
  "America/Noronha",
];
