import { Button, CloseButton, Menu } from "@mantine/core";
import { IconChevronDown, IconCoffee, IconDoorExit, IconMoodSmile } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { pauses } from "../../api/questions";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import { Avatar } from "../../parts/avatar";
import { notice, useWhy } from "../../parts/notices";
import type { Named } from "../trace/names";
import { span } from "../trace/rows";
import { callOf, stateOf } from "./board";
import { HandCall, HandWritten } from "./inhand";
import css from "./panel.module.css";
import { useStateWords } from "./people";
import { setPresence, waiting as waitingNow } from "./questions";
import { Waits } from "./waits";

type FrameProps = { title: string; label: string; face?: ReactNode; close: () => void };

/** What is known of one thing on the wall, beside it. */
function Frame({ title, label, face, close, children }: FrameProps & { children: ReactNode }) {
  const { t } = useTranslation();
  const panel = useRef<HTMLElement>(null);
  // Whoever opened it by keyboard goes on in it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: as often as something else is opened.
  useEffect(() => panel.current?.focus({ preventScroll: true }), [title]);
  return (
    <aside
      ref={panel}
      className={css.panel}
      aria-label={title}
      tabIndex={-1}
      onKeyDown={({ key }) => {
        if (key === "Escape") close();
      }}
    >
      <header>
        {face}
        <div>
          <h2>{title}</h2>
          <p>{label}</p>
        </div>
        <CloseButton aria-label={t("failed.close")} onClick={close} />
      </header>
      {children}
    </aside>
  );
}

type AgentProps = { id: string; now: number; close: () => void };

/** An agent: what they do and have in hand, and what can be asked of them. */
export function AgentPanel({ id, now, close }: AgentProps) {
  const { t: say } = useTranslation("supervision");
  const agent = useStore(live, ({ agents }) => agents[id]);
  const calls = useStore(live, (state) => state.calls);
  const words = useStateWords();
  if (agent === undefined) return null;
  const call = callOf(Object.values(calls), id);
  const others = agent.in_hand.filter((held) => held.interaction !== call?.interaction);
  const isPaused = stateOf(agent) === "paused" && agent.since_ms != null;
  const since = !isPaused || agent.since_ms == null ? "" : ` · ${span(now - agent.since_ms)}`;
  return (
    <Frame
      title={agent.name}
      label={`${words(agent)}${since}`}
      face={<Avatar name={agent.name} size={42} />}
      close={close}
    >
      <Presences agent={agent} />
      <h3>{say("wall.inHand")}</h3>
      {call !== undefined && <HandCall call={call} now={now} />}
      {others.map((held) => (
        <HandWritten key={held.work} held={held} agent={id} now={now} />
      ))}
      {agent.in_hand.length === 0 && <p className={css.none}>{say("wall.nothing")}</p>}
    </Frame>
  );
}

/** A supervisor has an agent come, pause or go. */
function Presences({ agent }: { agent: Schemas["Agent"] }) {
  const { t: say } = useTranslation("supervision");
  const why = useWhy();
  const { data: reasons } = useQuery(pauses);
  const set = useMutation({
    mutationFn: (body: Schemas["Ordered"]) => setPresence(agent.id, body),
    onError: (error) => notice(why(error)),
    onSuccess: (_, { presence }) => {
      if (presence !== "available" && stateOf(agent) === "handling") notice(say("wall.after"));
    },
  });
  return (
    <div className={css.actions}>
      {agent.presence !== "available" && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconMoodSmile size={16} stroke={1.7} />}
          onClick={() => set.mutate({ presence: "available" })}
        >
          {say("wall.come")}
        </Button>
      )}
      {agent.presence !== "offline" && (
        <Menu position="bottom-start" width={220}>
          <Menu.Target>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconCoffee size={16} stroke={1.7} />}
              rightSection={<IconChevronDown size={14} />}
            >
              {say("wall.pause")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {reasons?.map(({ id, name }) => (
              <Menu.Item key={id} onClick={() => set.mutate({ presence: "paused", reason: id })}>
                {name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {agent.presence !== "offline" && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDoorExit size={16} stroke={1.7} />}
          onClick={() => set.mutate({ presence: "offline" })}
        >
          {say("wall.sendOff")}
        </Button>
      )}
    </div>
  );
}

type QueueProps = {
  id: string;
  services: readonly Named[];
  now: number;
  close: () => void;
};

/** A queue: who waits in it, and what can be done for them. */
export function QueuePanel({ id, services, now, close }: QueueProps) {
  const { t: say } = useTranslation("supervision");
  const waiting = useStore(live, (state) => state.waiting);
  const { data: known } = useQuery(waitingNow);
  const name = services.find((service) => service.id === id)?.name ?? "";
  const lines = Object.values(waiting)
    .filter(({ service }) => service === id)
    .sort((a, b) => a.arrived_ms - b.arrived_ms);
  return (
    <Frame title={name} label={say("wall.waits", { count: lines.length })} close={close}>
      {lines.length === 0 && <p className={css.none}>{say("wall.noWait")}</p>}
      <ol>
        {lines.map((line) => (
          <Waits
            key={line.work}
            line={line}
            found={known?.find((one) => one.id === line.interaction)}
            now={now}
          />
        ))}
      </ol>
      <p className={css.more}>
        <Link to="/trace" search={{ service: id, period: "today" }}>
          {say("wall.day")}
        </Link>
      </p>
    </Frame>
  );
}
