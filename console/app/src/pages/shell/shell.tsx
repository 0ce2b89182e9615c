import { UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Session } from "../../api/client";
import { session } from "../../api/questions";
import { link, listen } from "../../live/live";
import { flush } from "../../live/sending";
import { outdated } from "../../live/state";
import { useStore } from "../../live/store";
import { useShortcuts } from "../../parts/keys";
import { Mark } from "../../parts/mark";
import { useLasting } from "../../parts/time";
import { wanted } from "../../phone/handset";
import { speaking } from "../../words/words";
import { looked } from "../work/mentions";
import { Account } from "./account";
import { gone } from "./ended";
import { Nav } from "./nav";
import { Presence, usePresence } from "./presence";
import css from "./shell.module.css";

const ShortcutList = lazy(() => import("./shortcuts"));
const Palette = lazy(speaking("agent", () => import("./palette")));
const Looking = lazy(speaking("agent", () => import("../work/looking")));
const Phone = lazy(speaking("phone", () => import("../phone/header")));

/** The window around every page: who one is, where one can go, whether one is connected. */
export function Shell() {
  const { data: me } = useQuery(session);
  const navigate = useNavigate();
  const who = useRef("");
  useEffect(() => {
    if (me) who.current = me.user;
    if (me !== null) return;
    gone(who.current);
    void navigate({ to: "/login" });
  }, [me, navigate]);
  return me ? <Window me={me} /> : null;
}

function Window({ me }: { me: Session }) {
  const { t } = useTranslation();
  const [showsKeys, setShowsKeys] = useState(false);
  const { come, me: agent } = usePresence();
  useLive(me);
  const isWanted = useStore(wanted, (value) => value);
  const looks = useStore(looked, (value) => value);
  const [seeks, setSeeks] = useState(false);
  useShortcuts({
    "?": () => setShowsKeys(true),
    "ctrl+k": () => setSeeks((is) => !is),
    "alt+d": () => come.mutate(),
  });
  return (
    <div className={css.window}>
      <a className={css.skip} href="#content">
        {t("nav.skip")}
      </a>
      <header className={css.head}>
        <div className={css.brand}>
          <Mark />
          <span>{t("name")}</span>
        </div>
        <Nav me={me} />
        <UnstyledButton
          className={css.seek}
          aria-label={t("nav.seek")}
          title={`${t("nav.seek")} (Ctrl+K)`}
          onClick={() => setSeeks(true)}
        >
          <IconSearch size={19} stroke={1.7} />
        </UnstyledButton>
        <Suspense>
          {(agent !== undefined || isWanted) && <Phone isAgent={agent !== undefined} />}
        </Suspense>
        <Presence />
        <Account me={me} showKeys={() => setShowsKeys(true)} />
      </header>
      <LostBar />
      <main className={css.main} id="content" tabIndex={-1}>
        <Outlet />
      </main>
      <Suspense>
        {seeks && (
          <Palette me={me} showKeys={() => setShowsKeys(true)} close={() => setSeeks(false)} />
        )}
      </Suspense>
      <Suspense>
        {looks !== null && <Looking interaction={looks} close={() => looked.set(null)} />}
      </Suspense>
      <Suspense>{showsKeys && <ShortcutList close={() => setShowsKeys(false)} />}</Suspense>
    </div>
  );
}

/** Listens to what is told, and asks anew for what that makes old. */
function useLive(me: Session) {
  const client = useQueryClient();
  useEffect(
    () =>
      listen({
        told(message) {
          for (const queryKey of outdated(message, me.user)) {
            void client.invalidateQueries({ queryKey });
          }
          if (message.kind === "snapshot") flush();
        },
        over: () => client.setQueryData(session.queryKey, null),
      }),
    [client, me.user],
  );
  // Who goes on from where they were is told no snapshot: what got stuck goes all the same.
  useEffect(
    () =>
      link.heard(() => {
        if (link.now().is === "open") flush();
      }),
    [],
  );
}

/** How long one may be without a connection before it is worth a word, in milliseconds. */
const LOST_AFTER = 1_200;

function LostBar() {
  const { t } = useTranslation();
  const isOpen = useStore(link, ({ is }) => is === "open");
  const isLost = useLasting(!isOpen, LOST_AFTER);
  return (
    <div role="status" className={css.status}>
      {isLost ? <p className={css.lost}>{t("link.lost")}</p> : null}
    </div>
  );
}
