import { UnstyledButton } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import css from "./call.module.css";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;

/** The keys of a telephone: by mouse, or typed. */
export function Keypad({ press }: { press: (key: string) => void }) {
  const { t } = useTranslation("phone");
  const [typed, setTyped] = useState("");
  const type = (key: string) => {
    setTyped((before) => (before + key).slice(-SHOWN_MAX));
    press(key);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !/^[\d*#]$/.test(event.key)) return;
    event.preventDefault();
    type(event.key);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: each key is a button as well.
    <div className={css.keypad} onKeyDown={pressed}>
      <output aria-label={t("do.keypad")}>{typed || "\u00a0"}</output>
      {KEYS.map((key) => (
        <UnstyledButton key={key} onClick={() => type(key)}>
          {key}
        </UnstyledButton>
      ))}
    </div>
  );
}

/** As many as fit. */
const SHOWN_MAX = 14;
