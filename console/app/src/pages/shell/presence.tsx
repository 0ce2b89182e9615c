import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconCoffee, IconDoorExit, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Agent, api, asked, type Schemas } from "../../api/client";
import { forced, pauses, session } from "../../api/questions";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import { notice, useWhy } from "../../parts/notices";
import { useNow } from "../../parts/time";
import css from "./shell.module.css";

/** Why somebody is paused, where nobody chose it. */
const BY_ITSELF = ["missed", "unreachable", "busy", "refused", "leaving"] as const;

type Wish = Schemas["Presents"];

/** When one has last wished to be something else here, milliseconds since 1970. */
let wishedAt = 0;

/** A change so soon after a wish is what was wished, in milliseconds. */
const WISH_MS = 5_000;

/** What one is as an agent, and how to be something else. */
export function usePresence() {
  const { data: who } = useQuery(session);
  const me = useStore(live, ({ agents }): Agent | undefined => agents[who?.user ?? ""]);
  const why = useWhy();
  const wish = useMutation({
    // The answer is how one is; the socket tells the same, and everything that follows.
    mutationFn: (body: Wish) => {
      wishedAt = Date.now();
      return asked(api.PUT("/api/v1/agents/me/presence", { body }));
    },
    onSuccess: (agent) =>
      live.set({ ...live.now(), agents: { ...live.now().agents, [agent.id]: agent } }),
    onError: (error) => notice(why(error)),
  });
  return {
    me,
    wish,
    come: { mutate: () => wish.mutate({ presence: "available" }) },
    /** Whether one has just wished to be something else. */
    wished: () => Date.now() - wishedAt < WISH_MS,
  };
}

/** Why somebody is paused, in words; nothing where they are not. */
export function useReason(me: Agent | undefined): string | undefined {
  const { t } = useTranslation();
  const { data: reasons } = useQuery({ ...pauses, enabled: me !== undefined });
  if (me?.presence !== "paused") return undefined;
  const itself = BY_ITSELF.find((one) => one === me.reason);
  if (itself !== undefined) return t(`presence.reason.${itself}`);
  return reasons?.find(({ id }) => id === me.reason)?.name ?? t("presence.paused");
}

/** By which supervisor one is paused, and why, in a sentence; empty where one is not. */
export function useForced(me: Agent | undefined): string {
  const { t } = useTranslation();
  const isForced = me?.forced === true;
  const { data: by } = useQuery({ ...forced(me?.since_ms ?? 0), enabled: isForced });
  if (!isForced) return "";
  if (by == null || by.name === "") return t("presence.forced");
  return by.because === ""
    ? t("presence.forcedBy", { name: by.name })
    : t("presence.forcedFor", { name: by.name, because: by.because });
}

/** Whether one takes work, and why not. */
export function Presence() {
  const { t } = useTranslation();
  const { me, wish } = usePresence();
  const { data: reasons } = useQuery({ ...pauses, enabled: me !== undefined });
  const named = useReason(me);
  const sentence = useForced(me);
  if (me === undefined) return null;
  const reason = reasons?.find((pause) => pause.id === me.reason);
  const name = named ?? t(`presence.${me.presence}`);
  return (
    <Menu position="bottom-end" width={250} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <UnstyledButton
          className={css.presence}
          data-over={isOver(me, reason?.limit_min)}
          title={sentence || undefined}
        >
          <span className={css.dot} data-is={me.presence} />
          <span className="unseen">{t("presence.label")}: </span>
          <span className={css.state}>{name}</span>
          {me.since_ms != null && <Since ms={me.since_ms} />}
          <IconChevronDown size={14} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconPlayerPlay size={16} />}
          disabled={me.presence === "available"}
          rightSection={<span className={css.hint}>Alt D</span>}
          onClick={() => wish.mutate({ presence: "available" })}
        >
          {t("presence.come")}
        </Menu.Item>
        <Menu.Label>{t("presence.pause")}</Menu.Label>
        {reasons?.map((pause) => (
          <Menu.Item
            key={pause.id}
            leftSection={<IconCoffee size={16} />}
            disabled={me.reason === pause.id}
            rightSection={
              pause.limit_min != null && (
                <span className={css.hint}>
                  {t("presence.minutes", { count: pause.limit_min })}
                </span>
              )
            }
            onClick={() => wish.mutate({ presence: "paused", reason: pause.id })}
          >
            {pause.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconDoorExit size={16} />}
          disabled={me.presence === "offline"}
          onClick={() => wish.mutate({ presence: "offline" })}
        >
          {t("presence.go")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const MINUTE_MS = 60_000;

function isOver(me: Agent, limit: number | null | undefined): boolean {
  return limit != null && me.since_ms != null && Date.now() - me.since_ms > limit * MINUTE_MS;
}

function Since({ ms }: { ms: number }) {
  const now = useNow(1_000);
  const seconds = Math.max(0, Math.floor((now - ms) / 1_000));
  const two = (count: number) => String(count).padStart(2, "0");
  return (
    <time>
      {two(Math.floor(seconds / 60))}:{two(seconds % 60)}
    </time>
  );
}
