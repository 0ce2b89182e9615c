import { ActionIcon, Button } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Holding, Part } from "./form";
import css from "./parts.module.css";

type Line<T, K extends keyof T> =
  NonNullable<T[K]> extends readonly (infer One)[] ? One & object : never;

/** A list within a form: lines that are added, filled in and taken away. */
export function Lines<T, K extends Holding<T, readonly object[]>>({
  of,
  at,
  label,
  hint,
  add,
  blank,
  max = 20,
  children,
}: {
  of: Part<T>;
  at: K;
  label: string;
  hint?: string;
  add: string;
  blank: Line<T, K>;
  max?: number;
  children: (line: Part<Line<T, K>>, place: number) => ReactNode;
}) {
  const { t } = useTranslation("settings");
  const lines = (of.value[at] ?? []) as readonly Line<T, K>[];
  const put = (next: readonly Line<T, K>[]) => of.set({ [at]: next } as unknown as Partial<T>);
  const wrong = of.why(at);
  return (
    <fieldset className={css.lines}>
      <legend>{label}</legend>
      {hint !== undefined && <p className={css.hint}>{hint}</p>}
      {[...lines.entries()].map(([place, line]) => (
        <div key={place} className={css.line}>
          <div>
            {children(
              {
                value: line,
                set: (changes) =>
                  put(lines.map((old, at) => (at === place ? { ...old, ...changes } : old))),
                why: (field) => of.why(`${at}.${field}`),
              },
              place,
            )}
          </div>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t("takeAway", { count: place + 1 })}
            onClick={() => put(lines.filter((_, at) => at !== place))}
          >
            <IconX size={16} />
          </ActionIcon>
        </div>
      ))}
      {wrong !== undefined && <p className={css.bad}>{wrong}</p>}
      {lines.length < max && (
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={15} />}
          onClick={() => put([...lines, blank])}
        >
          {add}
        </Button>
      )}
    </fieldset>
  );
}
