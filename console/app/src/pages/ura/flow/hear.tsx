import { Button, UnstyledButton } from "@mantine/core";
import { IconPhone, IconPhoneOff } from "@tabler/icons-react";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { text } from "../../../api/open";
import { type Line, lines } from "../../trace/trail";
import type { Document } from "../document";
import { useRing } from "../ring";
import editor from "./editor.module.css";
import { useNames } from "./names";
import css from "./try.module.css";

type Props = {
  id: string;
  document: Document;
  /** Whether what is drawn is what will be heard. */
  isSaved: boolean;
  /** The steps that were come to, in order. */
  show: (path: readonly string[]) => void;
};

/** The draft by ear: one's own phone rings, and what is heard lights up in the drawing. */
export function Hear({ id, document, isSaved, show }: Props) {
  const { t } = useTranslation("ura");
  const call = useRing(() =>
    asked(api.POST("/api/v1/flows/{id}/call", { params: { path: { id } }, body: {} })),
  );
  const trail = call.found?.trail;
  const path = useMemo(() => passed(lines(trail ?? []), document), [trail, document]);
  useEffect(() => show(path), [path, show]);
  useEffect(() => () => show([]), [show]);
  const names = useNames(document);
  return (
    <>
      <p className={css.did}>{t("hear.text")}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <div className={css.log} role="log" aria-label={t("try.log")} tabIndex={0}>
        <ol>
          {path.map((node, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: what happened keeps its place.
            <li key={place}>{names.told(node)}</li>
          ))}
          {call.found?.ended_ms != null && <li className={css.end}>{t("hear.over")}</li>}
        </ol>
        {call.why !== "" && (
          <p className={editor.fault} role="alert">
            {call.why}
          </p>
        )}
      </div>
      {call.isUp && (
        <div className={css.keypad}>
          <div className={css.keys}>
            {[..."123456789*0#"].map((key) => (
              <UnstyledButton
                key={key}
                className={css.key}
                aria-label={t("menu.key", { key })}
                onClick={() => call.press(key)}
              >
                {key}
              </UnstyledButton>
            ))}
          </div>
        </div>
      )}
      {call.isUp ? (
        <Button
          color="red.9"
          leftSection={<IconPhoneOff size={17} aria-hidden="true" />}
          onClick={call.hangUp}
        >
          {t("hear.hangUp")}
        </Button>
      ) : (
        <Button
          leftSection={<IconPhone size={17} aria-hidden="true" />}
          loading={call.isPlacing}
          disabled={!isSaved}
          onClick={call.ring}
        >
          {t("hear.call")}
        </Button>
      )}
    </>
  );
}

/** The steps of the drawing that a call came to, in order. */
function passed(trail: readonly Line[], document: Document): readonly string[] {
  const nodes = trail
    .map(({ detail }) => text(detail.node))
    .filter((node) => node in document.nodes);
  return nodes.filter((node, place) => node !== nodes[place - 1]);
}
