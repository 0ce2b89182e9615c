// Who one talks to, and what can be done beside talking.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { LANGUAGES } from "../config.ts";
import { LANGUAGE_NAMES, said, when } from "../words.ts";
import { useShell, useWords } from "./context.ts";
import type { Asked } from "./Dialogs.tsx";
import { Close, End, Mail, More, SoundOff, SoundOn } from "./icons.tsx";

export function Header({ ask }: { ask: (asked: Asked) => void }) {
  const shell = useShell();
  const words = useWords();
  const { config, chat } = shell;
  const { agent } = chat;
  const greeting = said(config.greeting, shell.language) ?? words.greeting;
  const isGreeting = chat.mode(Date.now()) === "form" || chat.messages.length === 0;
  return (
    <header class="header">
      <div class="bar">
        <Face name={agent?.name ?? config.name} image={agent ? agent.avatar : config.logo} />
        <div class="who">
          <h1>{agent?.name ?? config.name}</h1>
          <Standing />
        </div>
        <Menu ask={ask} />
        <button
          type="button"
          class="round"
          aria-label={words.close}
          title={words.close}
          onClick={() => shell.close()}
        >
          <Close />
        </button>
      </div>
      {isGreeting && chat.pending.length === 0 && <p class="greeting">{greeting}</p>}
    </header>
  );
}

/** A picture, or the first letters of the name. */
export function Face({ name, image }: { name: string; image: string | null | undefined }) {
  if (image) return <img class="face" src={image} alt="" width="40" height="40" />;
  const letters = name
    .split(/\s+/)
    .map((word) => word[0] ?? "")
    .slice(0, 2)
    .join("");
  return (
    <span class="face" aria-hidden="true">
      {letters.toUpperCase()}
    </span>
  );
}

function Standing() {
  const shell = useShell();
  const words = useWords();
  const { state, phase } = shell.chat;
  if (phase === "agent") return <p class="standing">{shell.config.name}</p>;
  if (phase === "bot") return <p class="standing">{words.assistant}</p>;
  if (state?.open === false) {
    const now = shell.chat.serverTime(Date.now());
    const back = state.opens_ms === null ? undefined : when(state.opens_ms, now, shell.language);
    return <p class="standing">{back ? words.backAt(back) : words.away}</p>;
  }
  if (!state) return <p class="standing" />;
  return <p class="standing is-online">{words.online}</p>;
}

function Menu({ ask }: { ask: (asked: Asked) => void }) {
  const shell = useShell();
  const words = useWords();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // At once: who is fast presses Escape before a frame is painted.
  useLayoutEffect(() => {
    if (!isOpen) return;
    const touched = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", touched);
    document.addEventListener("focusin", touched);
    root.current?.addEventListener("keydown", pressed);
    const here = root.current;
    return () => {
      document.removeEventListener("pointerdown", touched);
      document.removeEventListener("focusin", touched);
      here?.removeEventListener("keydown", pressed);
    };
  }, [isOpen]);
  const { phase, messages } = shell.chat;
  const isTalking = phase === "bot" || phase === "waiting" || phase === "agent";
  const pick = (asked: Asked) => {
    setOpen(false);
    // The dialog gives the focus back to where it was.
    button.current?.focus();
    ask(asked);
  };
  return (
    <div class="menu" ref={root}>
      <button
        type="button"
        class="round"
        aria-label={words.menu}
        title={words.menu}
        aria-expanded={isOpen}
        aria-controls="menu"
        ref={button}
        onClick={() => setOpen(!isOpen)}
      >
        <More />
      </button>
      <div class="sheet" id="menu" hidden={!isOpen}>
        <button type="button" onClick={() => shell.setSound(!shell.hasSound)}>
          {shell.hasSound ? <SoundOn /> : <SoundOff />}
          {shell.hasSound ? words.soundOff : words.soundOn}
        </button>
        {shell.config.transcript && messages.length > 0 && (
          <button type="button" onClick={() => pick("transcript")}>
            <Mail />
            {words.transcript}
          </button>
        )}
        {isTalking && (
          <button type="button" onClick={() => pick("end")}>
            <End />
            {words.end}
          </button>
        )}
        <fieldset class="languages">
          <legend>{words.language}</legend>
          {LANGUAGES.map((language) => (
            <button
              type="button"
              key={language}
              lang={language}
              aria-pressed={language === shell.language}
              onClick={() => shell.setLanguage(language)}
            >
              {LANGUAGE_NAMES[language]}
            </button>
          ))}
        </fieldset>
      </div>
    </div>
  );
}
