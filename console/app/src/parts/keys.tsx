import { useEffect, useRef } from "react";
import css from "./parts.module.css";

/** A shortcut, drawn as keys: `Alt+A`. */
export function Keys({ of }: { of: string }) {
  return (
    <span className={css.keys}>
      {of.split("+").map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  );
}

/** What a key does, by its name: `?`, `ctrl+k` (or ⌘), or `alt+a` by the place of the key, so that no layout writes a sign instead. */
export type Shortcuts = Readonly<Record<string, () => void>>;

/** Does what the keys say, for as long as it is shown. A key without Alt counts only where nobody writes. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const isCommand = event.ctrlKey || event.metaKey;
      const key = event.code.replace(/^(Key|Digit)/, "").toLowerCase();
      const name = isCommand ? `ctrl+${key}` : event.altKey ? `alt+${key}` : event.key;
      const does = current.current[name];
      if (does === undefined) return;
      if (!event.altKey && !isCommand && writes(event.target)) return;
      event.preventDefault();
      does();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function writes(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]")
  );
}
