// The one socket over which is told what happens: opened again whenever it was cut, from where it was cut.

import { api, asked, type LiveMessage, namedCompany, Refused, serverNow } from "../api/client";
import { begin, deadline, type Happening, type Link, step } from "./link";
import { hear, NOTHING } from "./state";
import { store } from "./store";

/** What is so now. */
export const live = store(NOTHING);

/** Whether that is still told. */
export const link = store<Link>(begin(Date.now()));

/** The last thing that was told. */
export const told = store<LiveMessage | null>(null);

/** What else wants to know. */
type Listener = {
  /** Something was told. */
  told: (message: LiveMessage) => void;
  /** Nobody is logged in any more. */
  over: () => void;
};

/** Listens until what is returned is called. */
export function listen(listener: Listener): () => void {
  let socket: WebSocket | null = null;
  let timer = 0;
  let ended = false;

  const happened = (what: Happening) => {
    if (ended) return;
    const before = link.now();
    const after = step(before, what, Date.now(), Math.random());
    link.set(after);
    if (after.is === "opening" && after !== before) open();
    if (after.is === "waiting" && before.is !== "waiting") close();
    if (after.is === "over") listener.over();
    clearTimeout(timer);
    const wait = deadline(after) - Date.now();
    if (Number.isFinite(wait)) timer = window.setTimeout(tick, Math.max(wait, 50));
  };
  const tick = () => happened({ kind: "tick" });

  const close = () => {
    const old = socket;
    socket = null;
    old?.close();
  };

  const open = () => {
    close();
    const since = live.now().seq;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = [namedCompany(), since === null ? "" : `since=${since}`];
    const asks = query.filter((part) => part !== "").join("&");
    const fresh = new WebSocket(`${scheme}://${location.host}/api/v1/live?${asks}`);
    let opened = false;
    socket = fresh;
    fresh.onopen = () => {
      opened = true;
      if (fresh === socket) happened({ kind: "heard" });
    };
    fresh.onmessage = ({ data }) => {
      if (fresh !== socket) return;
      const message: LiveMessage = JSON.parse(data);
      live.set(hear(live.now(), message, serverNow()));
      told.set(message);
      happened({ kind: "heard" });
      listener.told(message);
    };
    fresh.onclose = ({ code }) => {
      if (fresh !== socket) return;
      // A browser does not say why it was not let in: the session does.
      if (!opened) void stillKnown(listener);
      happened({ kind: "closed", code });
    };
  };

  const woke = () => {
    if (document.visibilityState === "visible") happened({ kind: "woke" });
  };
  // The socket may not know it for a minute. Where it is another network that went, it is opened again at once.
  const cut = () => happened({ kind: "closed", code: 0 });
  window.addEventListener("offline", cut);
  window.addEventListener("online", woke);
  document.addEventListener("visibilitychange", woke);
  link.set(begin(Date.now()));
  open();
  timer = window.setTimeout(tick, deadline(link.now()) - Date.now());
  return () => {
    ended = true;
    clearTimeout(timer);
    window.removeEventListener("offline", cut);
    window.removeEventListener("online", woke);
    document.removeEventListener("visibilitychange", woke);
    close();
    live.set(NOTHING);
  };
}

async function stillKnown(listener: Listener): Promise<void> {
  try {
    await asked(api.GET("/api/v1/session"));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) listener.over();
  }
}
