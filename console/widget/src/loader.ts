// The one script of a shop's page: a button, and behind it the frame. It touches nothing of the page
// beside its own element, and believes nobody but its frame.

import type { LauncherConfig } from "./config.ts";
import type { FromLoader, KeptTexts, ToLoader } from "./parent.ts";

/** The server writes it here. */
declare const __CONFIG__: LauncherConfig;

/** What the shop's page keeps for us. */
interface Kept {
  /** Whether there is a conversation. */
  on?: number;
  /** What the frame gave, where the browser denies it a storage. */
  texts?: KeptTexts;
}

type Listener = (value: unknown) => void;
type Call = [word: string, value?: unknown, listener?: Listener];
type Api = ((...call: Call) => void) & { q?: Call[] | IArguments[]; on?: true };

const page = window as unknown as { ramal?: Api; navigation?: EventTarget };

function start(config: LauncherConfig): void {
  const before = page.ramal;
  // The tag stands twice in the page.
  if (before?.on) return;
  const { channel, colour, position } = config;
  // Where the script came from.
  const address = new URL(config.frame, script);
  const { origin } = address;
  const name = `ramal:${channel}`;
  const narrow = matchMedia("(max-width: 520px), (max-height: 480px)");
  const listeners: Record<string, Listener[]> = {};
  // Until the frame says them in the visitor's language.
  let labels = { open: "Chat", close: "Chat", dismiss: "×" };
  let theme = config.theme;
  let language = document.documentElement.lang || null;
  let identity: unknown;
  let isOpen = false;
  let isLoaded = false;
  /** Somebody logged out before the frame was there to hear it. */
  let isLeaving = false;
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
    frame.title = `Chat: ${config.name}`;
    frame.src = address.href;
    frame.onload = () => {
      isLoaded = true;
      tell({ type: "start", language, theme, page: here(), kept: kept()?.texts ?? {} });
      if (isLeaving) tell({ type: "logout" });
      isLeaving = false;
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
    if (frame) frame.inert = !isOpen;
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
        keep({ ...kept(), on: 1 });
        break;
      case "forgotten":
        keep({ ...kept(), on: 0 });
        break;
      case "keep":
        keep({ ...kept(), texts: message.kept });
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

  // Denied: then the frame is loaded when the chat is opened, and nothing is kept.
  const kept = () => {
    try {
      return JSON.parse(localStorage.getItem(name) ?? "null") as Kept | null;
    } catch {
      return null;
    }
  };
  const keep = (value: Kept | null) => {
    try {
      if (value) localStorage.setItem(name, JSON.stringify(value));
      else localStorage.removeItem(name);
    } catch {
      // As above.
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
        isLeaving = !isLoaded;
        load();
        tell({ type: "logout" });
        keep(null);
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
  if (kept()?.on) load();
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

const DRAWINGS = `<svg class="chat" viewBox="0 0 24 24"><path d="M12 3c-5.2 0-9.3 3.5-9.3 8 0 2.5 1.3 4.7 3.4 6.1-.1 1-.5 2.1-1.3 3 1.9-.1 3.5-.8 4.7-1.7.8.2 1.6.3 2.5.3 5.2 0 9.3-3.4 9.3-7.7S17.2 3 12 3z"/></svg><svg class="down" viewBox="0 0 24 24"><path d="M6 9.5l6 6 6-6"/></svg>`;

/** Above what shops put above everything. */
const STYLE = `
:host{all:initial;position:fixed;z-index:2147483000;bottom:20px;right:20px;font:15px/1.4 system-ui,sans-serif}
:host([data-side=left]){right:auto;left:20px}
button{all:unset;cursor:pointer}
[hidden]{display:none!important}
button:focus-visible{outline:3px solid var(--brand);outline-offset:3px;box-shadow:0 0 0 3px #fff}
.launcher{position:relative;display:grid;place-items:center;width:60px;height:60px;border-radius:50%;background:var(--brand);color:var(--ink);box-shadow:0 4px 16px rgb(0 0 0/28%)}
svg{grid-area:1/1;width:28px;fill:currentColor}
.down{fill:none;stroke:currentColor;stroke-width:2.4;stroke-linecap:round;stroke-linejoin:round}
.down,:host(.open) .chat{opacity:0}
:host(.open) .down{opacity:1}
.badge{position:absolute;top:-4px;right:-4px;min-width:10px;padding:0 6px;border-radius:11px;background:#c6221b;color:#fff;font-size:13px;font-weight:700;line-height:22px;text-align:center;box-shadow:0 0 0 2px #fff}
.badge:empty{display:none}
.frame,.peek{position:absolute;bottom:76px;right:0;border:0;border-radius:18px;background:#fff;box-shadow:0 8px 40px rgb(0 0 0/28%)}
:host([data-side=left]) :is(.frame,.peek){right:auto;left:0}
.frame{width:400px;height:min(680px,calc(100vh - 116px));color-scheme:normal;visibility:hidden;opacity:0;transform:translateY(12px)}
:host(.open) .frame{visibility:visible;opacity:1;transform:none}
.peek{display:flex;align-items:flex-start;width:max-content;max-width:min(280px,calc(100vw - 40px));color:#1a1e24}
.text{padding:12px 4px 12px 16px;overflow-wrap:anywhere}
.dismiss{flex:none;width:36px;font-size:22px;line-height:44px;text-align:center;color:#565f6a}
@media (prefers-reduced-motion:no-preference){.launcher,svg,.frame{transition:.18s}.launcher:hover{transform:scale(1.06)}}
@media (max-width:520px),(max-height:480px){.frame,:host([data-side=left]) .frame{position:fixed;inset:0;width:100%;height:100%;height:100dvh;border-radius:0}:host(.open) .launcher{display:none}}
@media print{:host{display:none}}`;

/** Known only now: who runs later is no script of the page. */
const script = (document.currentScript as HTMLScriptElement).src;
const begin = () => start(__CONFIG__);
if (document.body) begin();
else addEventListener("DOMContentLoaded", begin);
