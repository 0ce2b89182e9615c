// What a channel looks like and asks. The server writes it into the frame, and some of it into the loader.

/** The languages of the widget. */
export type Language = "pt-BR" | "en" | "es";

/** Light or dark, or what the visitor's system says. */
export type Theme = "auto" | "light" | "dark";

/** A text in the languages in which the company wrote it. */
export type Texts = Partial<Record<Language, string>>;

/** Whether a field of the form is there, and must be filled. */
export type Asked = "no" | "ask" | "must";

/** What is asked before the first message of a matter. */
export interface FormConfig {
  name: Asked;
  email: Asked;
  phone: Asked;
  services: { id: string; name: string }[];
  consent: { version: string; text: Texts; url: string | null } | null;
}

/** What the loader knows. */
export interface LauncherConfig {
  v: 1;
  channel: string;
  name: string;
  colour: string;
  position: "left" | "right";
  theme: Theme;
  language: Language | "auto";
  /** The address of the frame's page, from that of the loader. */
  frame: string;
}

/** What the frame knows. */
export interface Config extends LauncherConfig {
  logo: string | null;
  /** The pages that may show us. */
  origins: string[];
  greeting: Texts;
  form: FormConfig | null;
  files: { bytes_max: number; accept: string } | null;
  transcript: boolean;
}

/** The languages, the first of which is spoken to whom we know nothing of. */
export const LANGUAGES: readonly Language[] = ["pt-BR", "en", "es"];

/** Finds a language of ours by a tag of BCP 47 (`pt`, `es-AR`), if there is one. */
export function languageOf(tag: string | null | undefined): Language | undefined {
  const first = tag?.toLowerCase().split("-")[0];
  return LANGUAGES.find((language) => language.toLowerCase().split("-")[0] === first);
}
