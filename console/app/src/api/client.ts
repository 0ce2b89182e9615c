// How the program is asked. Paths, bodies and answers are those of its own description.

import createClient, { createQuerySerializer } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Session = Schemas["LoggedIn"];
export type Agent = Schemas["Agent"];
export type Work = Schemas["Work"];
export type Message = Schemas["Message"];
export type FileOfMessage = Schemas["FileOfMessage"];
export type Composer = Schemas["Composer"];
export type QuickReply = Schemas["QuickReply"];
export type Template = Schemas["ListedTemplate"];
export type LiveMessage = Schemas["LiveMessage"];

/** The program refused, or was not reached: with a sentence for who sits before the screen. */
export class Refused extends Error {
  /** The status; 0 where there was no answer. */
  readonly status: number;
  /** A word that stays the same. */
  readonly code: string;
  /** The field at fault, where it is one. */
  readonly field: string | undefined;
  /** The particulars. */
  readonly detail: string | undefined;
  /** What is wrong with a flow or a calendar, and where. */
  readonly findings: readonly Schemas["Finding"][];

  constructor(status: number, problem?: Partial<Schemas["Problem"]>) {
    super(problem?.message ?? "");
    this.status = status;
    this.field = problem?.field ?? undefined;
    this.detail = problem?.detail ?? undefined;
    this.findings = problem?.findings ?? [];
    this.code = problem?.code ?? (status === 0 ? "unreachable" : "unknown");
  }

  /** Whether the same may go through in a moment: nobody said no. */
  get isPassing(): boolean {
    return this.status === 0 || (this.status >= 502 && this.status <= 504);
  }
}

const shown = { csrf: "", language: "pt-BR", company: "" };

/** What changes must show so that no page of others can have made them. */
export function showCsrf(csrf: string): void {
  shown.csrf = csrf;
}

/** The language of the program's sentences. */
export function speak(language: string): void {
  shown.language = language;
}

/** Whose company it is about, for an administrator of the installation, who has none of their own. */
export function actFor(company: string): void {
  shown.company = company;
}

/** The company as an address names it; empty for everybody who has one of their own. */
export function namedCompany(): string {
  return shown.company === "" ? "" : `company=${encodeURIComponent(shown.company)}`;
}

let ahead = 0;

/** The program's clock, milliseconds since 1970: what it says of time is compared with this. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/** The header has whole seconds: a clock nearer than this counts as right. */
const CLOCK_ERROR_MS = 2_000;

const query = createQuerySerializer();

export const api = createClient<paths>({
  baseUrl: location.origin,
  querySerializer: (asked) =>
    [query(asked), namedCompany()].filter((part) => part !== "").join("&"),
});

api.use({
  onRequest({ request }) {
    request.headers.set("accept-language", shown.language);
    if (request.method !== "GET") request.headers.set("x-csrf-token", shown.csrf);
    return request;
  },
  onResponse({ response }) {
    const date = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(date)) return;
    const off = date - Date.now();
    ahead = Math.abs(off) > CLOCK_ERROR_MS ? off : 0;
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer, or why there is none. */
export async function asked<T>(answer: Promise<Answer<T>>): Promise<T> {
  let given: Answer<T>;
  try {
    given = await answer;
  } catch {
    throw new Refused(0);
  }
  if (given.error !== undefined || !given.response.ok) {
    throw new Refused(given.response.status, problem(given.error));
  }
  return given.data as T;
}

function problem(error: unknown): Partial<Schemas["Problem"]> {
  return typeof error === "object" && error !== null ? error : {};
}
