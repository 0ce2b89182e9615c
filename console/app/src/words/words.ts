// What the window says, in the language of whoever sits before it.

import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { speak } from "../api/client";
import type { AccountWords } from "./account/pt-BR";
import type { AgentWords } from "./agent/pt-BR";
import type { ClosedWords } from "./closed/pt-BR";
import type { PhoneWords } from "./phone/pt-BR";
import type { Words } from "./pt-BR";
import type { SettingsWords } from "./settings/pt-BR";
import type { SupervisionWords } from "./supervision/pt-BR";
import type { UraWords } from "./ura/pt-BR";

/** What is said on pages that not everybody opens: loaded with them, `useTranslation("supervision")`. */
export interface Areas {
  account: AccountWords;
  agent: AgentWords;
  closed: ClosedWords;
  phone: PhoneWords;
  settings: SettingsWords;
  supervision: SupervisionWords;
  ura: UraWords;
}

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: Words } & Areas;
  }
}

export const LANGUAGES = { "pt-BR": "Português", en: "English", es: "Español" } as const;

export type Language = keyof typeof LANGUAGES;

/** Only the language that is spoken is loaded. */
const load: Record<Language, () => Promise<{ default: Words }>> = {
  "pt-BR": () => import("./pt-BR"),
  en: () => import("./en"),
  es: () => import("./es"),
};

type Load = () => Promise<{ default: object }>;

/** The words of the areas, each at `./area/language.ts`. */
const areas = import.meta.glob<{ default: object }>("./*/*.ts");

/** The areas that were opened: their words change with the language. */
const opened = new Set<keyof Areas>();

const KEPT = "ramal.language";

/** The language that was chosen here before, or that the browser speaks, or Portuguese. */
export function language(): Language {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages];
  for (const one of wanted) {
    const found = (Object.keys(LANGUAGES) as Language[]).find(
      (known) => one?.slice(0, 2).toLowerCase() === known.slice(0, 2).toLowerCase(),
    );
    if (found !== undefined) return found;
  }
  return "pt-BR";
}

async function loadArea(area: keyof Areas, language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, area)) return;
  const words = await (areas[`./${area}/${language}.ts`] as Load)();
  i18next.addResourceBundle(language, area, words.default);
}

/** A page of an area, together with the words that it says. */
export function speaking<Page>(area: keyof Areas, page: () => Promise<Page>): () => Promise<Page> {
  return async () => {
    opened.add(area);
    const [found] = await Promise.all([page(), loadArea(area, i18next.language as Language)]);
    return found;
  };
}

export async function speakIn(wanted: Language, isChosen = true): Promise<void> {
  const [{ default: words }] = await Promise.all([
    load[wanted](),
    ...[...opened].map((area) => loadArea(area, wanted)),
  ]);
  if (!i18next.isInitialized) {
    await i18next.use(initReactI18next).init({
      lng: wanted,
      resources: {},
      interpolation: { escapeValue: false },
      react: { useSuspense: false },
    });
  }
  i18next.addResourceBundle(wanted, "translation", words);
  await i18next.changeLanguage(wanted);
  document.documentElement.lang = wanted;
  speak(wanted);
  if (isChosen) localStorage.setItem(KEPT, wanted);
}
