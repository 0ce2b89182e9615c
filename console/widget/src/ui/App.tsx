// The whole screen, from the top to the bottom.

import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { palette } from "../colour.ts";
import type { Shell } from "../shell.ts";
import { allowSound } from "../sound.ts";
import { WORDS } from "../words.ts";
import { Closed } from "./Closed.tsx";
import { Composer } from "./Composer.tsx";
import { ShellProvider, useShell, useWords } from "./context.ts";
import { type Asked, Dialogs } from "./Dialogs.tsx";
import { Form } from "./Form.tsx";
import { Header } from "./Header.tsx";
import { Thread } from "./Thread.tsx";
import { Waiting } from "./Waiting.tsx";

export function App({ shell }: { shell: Shell }) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [asked, ask] = useState<Asked>();
  const page = useRef<HTMLDivElement>(null);
  // Before anything else can happen: an effect that waits for a frame misses what comes until then.
  useLayoutEffect(() => shell.subscribe(() => redraw(undefined)), [shell]);
  useLook(shell);
  useFocus(shell, page.current);
  useKeys(shell);

  const words = WORDS[shell.language];
  const mode = shell.chat.mode(Date.now());
  return (
    <ShellProvider value={shell}>
      <div class="page" data-mode={mode} ref={page}>
        <Header ask={ask} />
        <main class="main">
          <Trouble />
          {mode === "form" && <Form />}
          {(mode === "chat" || mode === "closed") && (
            <>
              <Waiting />
              <Thread />
            </>
          )}
          {mode === "loading" && <p class="loading">{words.loading}</p>}
          {mode === "chat" && shell.chat.over === undefined && <Composer />}
          {mode === "closed" && shell.chat.over === undefined && <Closed />}
        </main>
        <Dialogs asked={asked} done={() => ask(undefined)} />
        <div class="heard" role="log" aria-live="polite" aria-relevant="additions">
          {shell.heard.map(({ id, text }) => (
            <p key={id}>{text}</p>
          ))}
        </div>
      </div>
    </ShellProvider>
  );
}

/** What keeps one from talking. */
function Trouble() {
  const { chat } = useShell();
  const words = useWords();
  const { over } = chat;
  const text =
    over === undefined
      ? chat.isDown(Date.now()) && words.offline
      : (words.over[over] ?? words.over.channel);
  return (
    <div role="status" class="trouble">
      {text && <p>{text}</p>}
    </div>
  );
}

/** The theme and the company's colours, on the root of the page. */
function useLook(shell: Shell): void {
  const [systemIsDark, setSystem] = useState(() => DARK.matches);
  useEffect(() => {
    const changed = () => setSystem(DARK.matches);
    DARK.addEventListener("change", changed);
    return () => DARK.removeEventListener("change", changed);
  }, []);
  const isDark = shell.theme === "dark" || (shell.theme === "auto" && systemIsDark);
  const theme = isDark ? "dark" : "light";
  useEffect(() => {
    const root = document.documentElement;
    const { brand, onBrand, accent } = palette(shell.config.colour, theme);
    root.dataset.theme = theme;
    root.style.setProperty("--brand", brand);
    root.style.setProperty("--on-brand", onBrand);
    root.style.setProperty("--accent", accent);
  }, [theme, shell.config.colour]);
  useEffect(() => {
    document.documentElement.lang = shell.language;
    document.title = WORDS[shell.language].chatWith(shell.config.name);
  }, [shell.language, shell.config.name]);
}

/** Who opens the chat can type at once. */
function useFocus(shell: Shell, page: HTMLElement | null): void {
  const mode = shell.chat.mode(Date.now());
  useEffect(() => {
    if (!shell.isOpen) return;
    const first = page?.querySelector<HTMLElement>("[data-first]");
    first?.focus({ preventScroll: true });
  }, [shell.isOpen, mode, page]);
}

function useKeys(shell: Shell): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      // An open menu or dialog takes it first.
      if (event.key === "Escape" && !event.defaultPrevented) shell.close();
    };
    const touched = () => allowSound();
    document.addEventListener("keydown", pressed);
    document.addEventListener("pointerdown", touched);
    document.addEventListener("keydown", touched);
    return () => {
      document.removeEventListener("keydown", pressed);
      document.removeEventListener("pointerdown", touched);
      document.removeEventListener("keydown", touched);
    };
  }, [shell]);
}

const DARK = window.matchMedia("(prefers-color-scheme: dark)");
