import { Button, CloseButton } from "@mantine/core";
import { IconAt } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useStore } from "../../live/store";
import { looked, lookedAt, mentions } from "./mentions";
import css from "./work.module.css";

/** Where colleagues have named one, of what one has not in hand: what is in hand is marked on its card. */
export function Mentioned({ mine }: { mine: ReadonlySet<string> }) {
  const { t } = useTranslation();
  const all = useStore(mentions, (value) => value).filter((one) => !mine.has(one.interaction));
  if (all.length === 0) return null;
  return (
    <section>
      <h2 className={css.title}>{t("work.mentions")}</h2>
      {all.map((one) => (
        <article key={one.interaction} className={css.mention} aria-label={one.name}>
          <p className={css.from}>
            <IconAt size={16} stroke={1.8} aria-hidden="true" />
            <strong>{one.name}</strong>
            <CloseButton
              size="sm"
              aria-label={t("failed.close")}
              onClick={() => lookedAt(one.interaction)}
            />
          </p>
          <p className={css.first}>{one.text}</p>
          <Button variant="default" size="xs" onClick={() => looked.set(one.interaction)}>
            {t("work.look")}
          </Button>
        </article>
      ))}
    </section>
  );
}
