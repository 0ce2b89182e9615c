import { SegmentedControl, Textarea } from "@mantine/core";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { fields, text } from "../../../api/open";
import { LANGUAGES, type Language } from "../../../words/words";
import css from "./channels.module.css";

const SHORT: Record<Language, string> = { "pt-BR": "PT", en: "EN", es: "ES" };

/** A sentence in each language that customers speak; nothing where there is none in any. */
export function Texts({
  label,
  hint,
  value,
  change,
  wrong,
}: {
  label: string;
  hint?: string;
  value: unknown;
  change: (value: Record<string, never> | null) => void;
  wrong?: string | undefined;
}) {
  const { t } = useTranslation("settings");
  const [language, setLanguage] = useState<Language>("pt-BR");
  const id = useId();
  const kept = fields(value);
  const put = (written: string) => {
    const next = Object.entries({ ...kept, [language]: written }).filter(([, one]) => one !== "");
    change(next.length === 0 ? null : (Object.fromEntries(next) as Record<string, never>));
  };
  return (
    <div className={css.texts}>
      <Textarea
        id={id}
        label={`${label}${language === "pt-BR" ? "" : ` (${LANGUAGES[language]})`}`}
        description={hint}
        error={wrong}
        autosize={false}
        rows={2}
        lang={language}
        value={text(kept[language])}
        onChange={(event) => put(event.currentTarget.value)}
      />
      <SegmentedControl
        size="xs"
        aria-label={t("channels.language", { label })}
        value={language}
        data={(Object.keys(SHORT) as Language[]).map((one) => ({
          value: one,
          label: kept[one] === undefined ? SHORT[one] : `${SHORT[one]} ✓`,
        }))}
        onChange={(one) => setLanguage(one as Language)}
      />
    </div>
  );
}
