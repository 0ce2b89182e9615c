import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "../../api/client";
import { forced, notes, pauses, useMe, work } from "../../api/questions";
import { live } from "../../live/live";
import { useTold } from "../../live/told";
import { notice } from "../../parts/notices";
import { usePresence } from "../shell/presence";
import { phone as written } from "../work/identity";
import { looked, mention, mentions } from "../work/mentions";
import { missed } from "../work/missed";
import { announce } from "./announcing";

/** Says what others did that is about oneself: who has named one, whom one has missed, who has one pause. */
export function useTelling(): void {
  useMentions();
  useMissed();
  useForced();
}

function useMentions() {
  const { t } = useTranslation("phone");
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useMe();
  useTold(async (what) => {
    if (what.kind !== "note" || !what.mentions.includes(me)) return;
    const { interaction } = what;
    const all = await client.fetchQuery({ ...notes(interaction), staleTime: 0 }).catch(() => []);
    const note = all.findLast(({ mentions }) => mentions.includes(me));
    if (note === undefined) return;
    const { name, at_ms } = note;
    mention({ interaction, name, text: note.text, at_ms });
    const look = () => {
      const own = client
        .getQueryData(work.queryKey)
        ?.find((one) => one.interaction === interaction);
      if (own === undefined) looked.set(interaction);
      else void navigate({ to: "/work/$work", params: { work: own.work } });
    };
    const words = t("notify.mention", { name, text: note.text });
    const drop = notice(words, { label: t("notify.look"), does: look });
    const stop = mentions.heard(() => {
      if (mentions.now().some((one) => one.interaction === interaction)) return;
      stop();
      drop();
    });
    announce({
      title: t("notify.mentioned", { name }),
      body: note.text,
      tag: interaction,
      does: look,
    });
  });
}

/** How soon after the end of an offer it is known what became of oneself, in milliseconds. */
const SETTLED_AFTER_MS = 400;

function useMissed() {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const client = useQueryClient();
  const me = useMe();
  const { come } = usePresence();
  useTold((what) => {
    if (what.kind !== "offer_ended" || what.agent !== me) return;
    if (what.end !== "lapsed" && what.end !== "unreachable") return;
    const { end } = what;
    const one = client.getQueryData(work.queryKey)?.find((own) => own.work === what.work);
    if (one === undefined) return;
    const name = written(one.customer) || core("work.customer");
    missed.set({ name, service: one.service_name });
    setTimeout(() => {
      const isPaused = live.now().agents[me]?.presence === "paused";
      const who = t(`missed.${end}`, { name, service: one.service_name });
      const text = `${who} ${t(isPaused ? "missed.paused" : "missed.next")}`;
      notice(text, isPaused ? { label: core("presence.come"), does: come.mutate } : undefined);
      announce({ title: who, body: text.slice(who.length).trim(), tag: what.work, does: () => {} });
    }, SETTLED_AFTER_MS);
  });
}

/** A change of oneself that one has not wished, in a sentence. */
function useForced() {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const client = useQueryClient();
  const me = useMe();
  const { come, wished } = usePresence();
  const before = useRef<Agent>(undefined);
  const told = async (now: Agent) => {
    const by = await client.fetchQuery(forced(now.since_ms ?? 0)).catch(() => null);
    const reasons = client.getQueryData(pauses.queryKey);
    const reason = reasons?.find(({ id }) => id === now.reason)?.name ?? core("presence.paused");
    const what = { name: by?.name || t("forced.somebody"), reason, because: by?.because ?? "" };
    const text = t(what.because === "" ? "forced.paused" : "forced.pausedFor", what);
    notice(text);
    announce({ title: text, body: "", tag: "forced", does: () => {} });
  };
  useTold((what) => {
    const now = live.now().agents[me];
    const then = before.current;
    before.current = now;
    if (now === undefined || then === undefined || now === then) return;
    if (now.forced && (!then.forced || then.since_ms !== now.since_ms)) {
      void told(now);
    } else if (now.presence === "offline" && then.presence !== "offline" && !wished()) {
      const why = what.kind === "snapshot" ? "lost" : "sent";
      notice(t(`forced.${why}`), {
        label: core("presence.come"),
        does: come.mutate,
      });
    }
  });
}
