// The one script of a shop's page: a button, and behind it the frame. It touches nothing of the page
// beside its own element, and believes nobody but its frame.

import type { LauncherConfig } from "./config.ts";
import type { FromLoader, ToLoader } from "./parent.ts";

/** The server writes it here. */
declare const __CONFIG__: LauncherConfig;

type Listener = (value: unknown) => void;
type Call = [word: string, value?: unknown, listener?: Listener];
type Api = ((...call: Call) => void) & { q?: Call[] | IArguments[]; on?: true };

const page = window as unknown as { ramal?: Api; navigation?: EventTarget };

function start(config: LauncherConfig): void {
  const before = page.ramal;
  // The tag stands twice in the page.
  if (before?.on) return;
  const { channel, colour, position } = config;
  const origin = new URL(config.frame).origin;
  const kept = `ramal:${channel}`;
  const narrow = matchMedia("(max-width: 520px), (max-height: 480px)");
  const listeners: Record<string, Listener[]> = {};
  let labels = PT.includes(navigator.language.slice(0, 2))
    ? {
        open: "Abrir o chat",
        close: "Fechar o chat",
        title: `Chat com ${config.name}`,
        dismiss: "Dispensar",
      }
    : {
        open: "Open chat",
        close: "Close chat",
        title: `Chat with ${config.name}`,
        dismiss: "Dismiss",
      };
  let theme = config.theme;
  let language = document.documentElement.lang || null;
  let identity: unknown;
  let isOpen = false;
  let isLoaded = false;
  let unread = { count: 0, label: "", text: "" };
  let scroll: string | undefined;

  const host = document.createElement("ramal-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  host.style.setProperty("--brand", colour);
  host.style.setProperty("--ink", ink(colour));
  host.dataset.side = position;
  const launcher = element("button", "launcher");
  launcher.type = "button";
  launcher.innerHTML = DRAWINGS;
  const badge = element("span", "badge");
  badge.setAttribute("aria-hidden", "true");
  launcher.append(badge);
  const peek = element("div", "peek");
  const peekText = element("button", "text");
  const peekClose = element("button", "dismiss");
  peekClose.textContent = "×";
  peek.append(peekText, peekClose);
  let frame: HTMLIFrameElement | undefined;
  root.append(peek, launcher);

  const tell = (message: FromLoader) =>
    isLoaded && frame?.contentWindow?.postMessage({ ramal: 1, ...message }, origin);
  const emit = (name: string, value?: unknown) => {
    for (const listener of listeners[name] ?? []) listener(value);
  };
  // Neither query nor fragment: they hold what is nobody's business.
  const here = () => ({ url: location.origin + location.pathname, title: document.title });

  const load = () => {
    if (frame) return;
    frame = element("iframe", "frame");
    frame.allow = "autoplay; clipboard-write";
    frame.title = labels.title;
    frame.src = config.frame;
    frame.onload = () => {
      isLoaded = true;
      tell({ type: "start", language, theme, page: here() });
      if (identity) tell({ type: "identify", identity: identity as never });
      if (isOpen) tell({ type: "opened" });
    };
    root.append(frame);
  };

  const draw = () => {
    host.classList.toggle("open", isOpen);
    const { count, label, text } = unread;
    const hasNews = count > 0 && !isOpen;
    launcher.setAttribute("aria-expanded", String(isOpen));
    const name = isOpen ? labels.close : labels.open;
    launcher.setAttribute("aria-label", hasNews ? `${name}. ${label}` : name);
    badge.textContent = hasNews ? String(Math.min(count, 99)) : "";
    peek.hidden = !hasNews || text === "";
    peekText.textContent = text;
    peekClose.setAttribute("aria-label", labels.dismiss);
    if (frame) {
      frame.title = labels.title;
      frame.inert = !isOpen;
    }
    // Over the whole screen of a phone: what is behind stays where it is.
    const page = document.documentElement.style;
    if (isOpen && narrow.matches) {
      scroll ??= page.overflow;
      page.overflow = "hidden";
    } else if (scroll !== undefined) {
      page.overflow = scroll;
      scroll = undefined;
    }
  };

  const show = (open: boolean) => {
    if (open === isOpen) return;
    isOpen = open;
    if (open) load();
    draw();
    tell({ type: open ? "opened" : "closed" });
    if (open) frame?.focus();
    emit(open ? "open" : "close");
  };

  const heard = (message: ToLoader) => {
    switch (message.type) {
      case "started":
        keep("1");
        break;
      case "forgotten":
        keep();
        break;
      case "unread":
        unread = message;
        draw();
        emit("unread", message.count);
        break;
      case "close":
        show(false);
        launcher.focus();
        break;
      case "identity_refused":
        // biome-ignore lint/suspicious/noConsole: who builds the page is to see it.
        console.warn("ramal: the hash does not fit the user_id; the visitor stays anonymous");
        break;
      case "labels":
        labels = message;
        draw();
        break;
    }
  };

  const keep = (value?: string) => {
    try {
      if (value) localStorage.setItem(kept, value);
      else localStorage.removeItem(kept);
    } catch {
      // Denied: then the frame is loaded when the chat is opened.
    }
  };

  const api: Api = (word, value, listener) => {
    switch (word) {
      case "open":
        show(true);
        break;
      case "close":
        show(false);
        break;
      case "toggle":
        show(!isOpen);
        break;
      case "identify":
        identity = value;
        tell({ type: "identify", identity: value as never });
        break;
      case "logout":
        identity = undefined;
        // Who is not there yet has something to forget all the same.
        load();
        tell({ type: "logout" });
        keep();
        break;
      case "language":
        language = String(value);
        tell({ type: "language", language });
        break;
      case "theme":
        theme = value === "light" || value === "dark" ? value : "auto";
        tell({ type: "theme", theme });
        break;
      case "on":
        if (listener) listeners[String(value)] = [...(listeners[String(value)] ?? []), listener];
        break;
    }
  };
  api.on = true;
  page.ramal = api;

  addEventListener("message", ({ source, origin: from, data }: MessageEvent) => {
    const isOurs = from === origin && frame !== undefined && source === frame.contentWindow;
    if (isOurs && data?.ramal === 1) heard(data);
  });
  launcher.onclick = peekText.onclick = () => show(!isOpen);
  peekClose.onclick = () => {
    unread = { ...unread, text: "" };
    draw();
    launcher.focus();
  };
  narrow.addEventListener("change", draw);
  const moved = () => tell({ type: "page", page: here() });
  addEventListener("popstate", moved);
  page.navigation?.addEventListener("navigatesuccess", moved);

  draw();
  document.body.append(host);
  for (const call of before?.q ?? []) api(...(Array.from(call) as Call));
  try {
    if (localStorage.getItem(kept)) load();
  } catch {
    // As in `keep`.
  }
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, part: string) {
  const made = document.createElement(name);
  made.className = part;
  return made;
}

/** White or black, whichever is read on this colour: as colour.ts, where it is explained. */
function ink(colour: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (light + 0.05) >= 4.5 ? "#fff" : "#000";
}

const PT = ["pt"];

const DRAWINGS = `<svg class="chat" aria-hidden="true" width="28" height="28" viewBox="0 0 24 24"><path d="M12 3.2c-5.200 0-9.300 3.500-9.300 7.900 0 2.500 1.300 4.700 3.400 6.100-.1 1-.5 2.100-1.300 3 1.900-.1 3.500-.8 4.700-1.700.8.200 1.600.3 2.5.3 5.200 0 9.300-3.400 9.300-7.700S17.200 3.200 12 3.200z" fill="currentColor"/></svg><svg class="down" aria-hidden="true" width="28" height="28" viewBox="0 0 24 24"><path d="M6 9.5l6 6 6-6" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** Above what shops put above everything. */
const STYLE = `
:host{all:initial;position:fixed;z-index:2147483000;bottom:20px;right:20px;font:15px/1.4 system-ui,sans-serif}
:host([data-side=left]){right:auto;left:20px}
button{all:unset;box-sizing:border-box;cursor:pointer}
[hidden]{display:none!important}
button:focus-visible{outline:3px solid var(--brand);outline-offset:3px;box-shadow:0 0 0 3px #fff}
.launcher{position:relative;display:grid;place-items:center;width:60px;height:60px;border-radius:50%;background:var(--brand);color:var(--ink);box-shadow:0 4px 16px rgb(0 0 0/24%),0 0 0 1px rgb(255 255 255/30%)}
.launcher svg{grid-area:1/1}
.down,:host(.open) .chat{opacity:0;transform:scale(.5)}
:host(.open) .down{opacity:1;transform:none}
.badge{position:absolute;top:-4px;right:-4px;min-width:22px;height:22px;padding:0 6px;box-sizing:border-box;border-radius:11px;background:#c6221b;color:#fff;font-size:13px;font-weight:700;line-height:22px;text-align:center;box-shadow:0 0 0 2px #fff}
.badge:empty{display:none}
.frame{position:fixed;bottom:96px;right:20px;width:400px;height:min(680px,calc(100vh - 116px));border:0;border-radius:18px;background:#fff;box-shadow:0 12px 48px rgb(0 0 0/28%);color-scheme:normal;visibility:hidden;opacity:0;transform:translateY(12px)}
:host([data-side=left]) .frame{right:auto;left:20px}
:host(.open) .frame{visibility:visible;opacity:1;transform:none}
.peek{position:absolute;bottom:74px;right:0;display:flex;align-items:flex-start;width:max-content;max-width:min(280px,calc(100vw - 40px));border-radius:16px;background:#fff;color:#1a1e24;box-shadow:0 6px 24px rgb(0 0 0/22%)}
:host([data-side=left]) .peek{right:auto;left:0}
.text{padding:12px 4px 12px 16px;overflow-wrap:anywhere}
.dismiss{flex:none;width:36px;height:44px;font-size:22px;line-height:44px;text-align:center;color:#565f6a}
@media (prefers-reduced-motion:no-preference){.launcher,.launcher svg{transition:transform .18s,opacity .18s}.launcher:hover{transform:scale(1.06)}.frame{transition:opacity .18s,transform .18s,visibility .18s}}
@media (max-width:520px),(max-height:480px){.frame,:host([data-side=left]) .frame{inset:0;width:100%;height:100%;height:100dvh;border-radius:0}:host(.open) .launcher{display:none}}
@media print{:host{display:none}}`;

const begin = () => start(__CONFIG__);
if (document.body) begin();
else addEventListener("DOMContentLoaded", begin);
