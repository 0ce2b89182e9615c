// A table of people as it comes out of a spreadsheet: read, judged line by line, and written as the program takes it.

/** What a column says. */
export type Column = "name" | "email" | "role" | "profile" | "services" | "extension" | "password";

export const COLUMNS: readonly Column[] = [
  "name",
  "email",
  "role",
  "profile",
  "services",
  "extension",
  "password",
];

/** By which words a column is known, as the program knows it. */
const WORDS: Readonly<Record<Column, readonly string[]>> = {
  name: ["nome", "name", "nombre"],
  email: ["email", "e-mail", "correo"],
  role: ["papel", "role", "rol"],
  profile: ["perfil", "profile"],
  services: ["servicos", "services", "servicios"],
  extension: ["ramal", "extension", "interno"],
  password: ["senha", "password", "contrasena"],
};

const ROLES = [
  "",
  "agente",
  "agent",
  "atendente",
  "supervisor",
  "supervisora",
  "administrador",
  "administradora",
  "administrator",
];

/** More are refused by the program. */
export const LINES_MAX = 500;

export type Person = {
  /** Which line of the table, counted from 1: the first names the columns. */
  readonly line: number;
  readonly cells: Readonly<Partial<Record<Column, string>>>;
};

/** What is wrong with a line, and with which of its cells. */
export type Fault = { readonly field: string; readonly code: string };

/** The letters without case and accents, as the program compares names. */
export function fold(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").trim().toLowerCase();
}

/** The people of a table; nothing where its first line does not name them. */
export function read(text: string): readonly Person[] | null {
  const rows = cells(text);
  const columns = (rows[0] ?? []).map((cell) =>
    COLUMNS.find((column) => WORDS[column].includes(fold(cell))),
  );
  if (!columns.includes("name") || !columns.includes("email")) return null;
  return rows
    .slice(1)
    .map((row, at) => ({
      line: at + 2,
      cells: Object.fromEntries(
        columns.flatMap((column, place) =>
          column === undefined ? [] : [[column, (row[place] ?? "").trim()]],
        ),
      ),
    }))
    .filter(({ cells }) => Object.values(cells).some((cell) => cell !== ""));
}

/** What a table may name, and what is there already. */
export type Known = {
  readonly emails: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly profiles: ReadonlySet<string>;
};

/** What the program will refuse, as far as it can be known before: by the lines. */
export function judge(people: readonly Person[], known: Known): ReadonlyMap<number, Fault> {
  const seen = new Set(known.emails);
  const found = new Map<number, Fault>();
  for (const { line, cells } of people) {
    const fault = wrong(cells, known, seen);
    if (fault === undefined) seen.add(fold(cells.email ?? ""));
    else found.set(line, fault);
  }
  return found;
}

function wrong(
  { name = "", email = "", role = "", profile = "", services = "" }: Person["cells"],
  known: Known,
  seen: ReadonlySet<string>,
): Fault | undefined {
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) return { field: "email", code: "invalid" };
  if (seen.has(fold(email))) return { field: "email", code: "taken" };
  if (name === "") return { field: "name", code: "missing" };
  if (!ROLES.includes(fold(role))) return { field: "role", code: "invalid" };
  if (profile !== "" && !known.profiles.has(fold(profile))) {
    return { field: "profile", code: "reference" };
  }
  const named = services.split(",").map(fold);
  const isKnown = named.every((one) => one === "" || known.services.has(one));
  return isKnown ? undefined : { field: "services", code: "reference" };
}

/** The same people as the program takes them, each in the line that it had. */
export function write(people: readonly Person[]): string {
  const lines = [COLUMNS.map((column) => WORDS[column][0] ?? "").join(";")];
  for (const { line, cells } of people) {
    lines[line - 1] = COLUMNS.map((column) => quoted(cells[column] ?? "")).join(";");
  }
  return Array.from(lines, (line = "") => line).join("\n");
}

export function quoted(cell: string): string {
  return /[;"\n]/.test(cell) ? `"${cell.replaceAll('"', '""').replaceAll(/\s+/g, " ")}"` : cell;
}

/** The cells of a table, whose separator is what its first line has more of. */
function cells(text: string): readonly (readonly string[])[] {
  const first = text.slice(0, text.search(/\r?\n|$/));
  const separator = first.includes(";") || !first.includes(",") ? ";" : ",";
  const rows: string[][] = [[""]];
  let isQuoted = false;
  for (let at = text.startsWith("\uFEFF") ? 1 : 0; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    const row = rows.at(-1) ?? [];
    const put = (more: string) => row.push(`${row.pop() ?? ""}${more}`);
    if (isQuoted && sign === '"' && text[at + 1] === '"') {
      put('"');
      at += 1;
    } else if (sign === '"') isQuoted = !isQuoted;
    else if (!isQuoted && sign === separator) row.push("");
    else if (!isQuoted && sign === "\n") rows.push([""]);
    else if (isQuoted || sign !== "\r") put(sign === "\n" ? " " : sign);
  }
  return rows;
}

/** What a file says, as spreadsheets write it: Excel's own letters where it is no UTF-8. */
export async function text(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
