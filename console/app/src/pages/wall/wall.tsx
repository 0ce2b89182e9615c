import { ActionIcon, Tooltip } from "@mantine/core";
import { IconMaximize, IconMinimize, IconUsersGroup } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import { Empty } from "../../parts/empty";
import { clock, useNow } from "../../parts/time";
import { useServices } from "../trace/names";
import { AgentPanel, QueuePanel } from "./panel";
import { People } from "./people";
import { Queues } from "./queues";
import css from "./wall.module.css";

/** All queues and all agents, as they are now. */
export function Wall() {
  const { t, i18n } = useTranslation();
  const { t: say } = useTranslation("supervision");
  const all = useServices("desk");
  const shown = useSearch({ from: "/inside/wall" });
  const navigate = useNavigate();
  const now = useNow(1_000);
  const isKnown = useStore(live, ({ seq }) => seq !== null);
  const { page, isLarge, enlarge } = useLarge();
  useEffect(() => {
    document.title = `${t("nav.wall")} · ${t("name")}`;
  }, [t]);
  if (all?.length === 0) {
    return (
      <Empty
        icon={<IconUsersGroup size={40} stroke={1.3} />}
        title={say("wall.none")}
        text={say("wall.noneText")}
      />
    );
  }
  const close = () => void navigate({ to: "/wall", search: {}, replace: true });
  const isBeside = shown.agent !== undefined || shown.queue !== undefined;
  return (
    <div className={css.page} ref={page} data-large={isLarge} data-beside={isBeside}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <div className={css.board} tabIndex={0}>
        <header className={css.head}>
          <h1>{say("wall.title")}</h1>
          <time>{clock(i18n.language, now)}</time>
          <Tooltip label={isLarge ? say("wall.small") : say("wall.large")}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={isLarge ? say("wall.small") : say("wall.large")}
              onClick={enlarge}
            >
              {isLarge ? <IconMinimize size={19} /> : <IconMaximize size={19} />}
            </ActionIcon>
          </Tooltip>
        </header>
        <Queues services={all} isKnown={isKnown} now={now} />
        <People now={now} open={shown.agent} isKnown={isKnown} />
      </div>
      {shown.agent !== undefined && <AgentPanel id={shown.agent} now={now} close={close} />}
      {shown.queue !== undefined && (
        <QueuePanel id={shown.queue} services={all ?? []} now={now} close={close} />
      )}
    </div>
  );
}

/** The wall alone on the whole screen, for those who see it from afar. */
function useLarge() {
  const page = useRef<HTMLDivElement>(null);
  const [isLarge, setIsLarge] = useState(false);
  useEffect(() => {
    const changed = () => setIsLarge(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  const enlarge = () => {
    if (document.fullscreenElement === null) void page.current?.requestFullscreen();
    else void document.exitFullscreen();
  };
  return { page, isLarge, enlarge };
}
