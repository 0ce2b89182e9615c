import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { messages, notes, session, work } from "../../api/questions";
import { told } from "../../live/live";
import { notice } from "../../parts/notices";
import { preview } from "../work/card";

/** Whether this browser shows words outside of its window, and how to ask for it. */
export function useMayAnnounce() {
  const [may, setMay] = useState(() =>
    "Notification" in window ? Notification.permission : ("impossible" as const),
  );
  const ask = () => void Notification.requestPermission().then(setMay);
  return { may, ask };
}

/** Shows outside of the window who calls and who has written, where nobody looks at it. */
export function useAnnouncing(): void {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: all } = useQuery(work);
  const { data: who } = useQuery(session);
  const known = useRef(new Set<string>());

  const announce = (title: string, body: string, id: string, isTaken: boolean) => {
    const isLooked = document.visibilityState === "visible" && document.hasFocus();
    if (isLooked || !("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(title, { body, tag: id });
    shown.onclick = () => {
      window.focus();
      shown.close();
      void navigate(isTaken ? { to: "/work/$work", params: { work: id } } : { to: "/work" });
    };
  };

  useEffect(() => {
    const offered = all?.filter(({ doing }) => doing === "offered") ?? [];
    for (const one of offered) {
      if (known.current.has(one.work)) continue;
      const name = one.customer || core("work.customer");
      const title = t(one.medium === "phone" ? "notify.call" : "notify.offer", { name });
      announce(title, one.service_name, one.work, false);
    }
    known.current = new Set(offered.map(({ work }) => work));
  });

  const mentioned = async (interaction: string) => {
    const all = await client.fetchQuery(notes(interaction)).catch(() => []);
    const note = all.at(-1);
    if (note !== undefined) notice(t("notify.mention", { name: note.name, text: note.text }));
  };

  const heard = useRef(() => {});
  heard.current = async () => {
    const what = told.now();
    if (what?.kind === "note" && what.mentions.includes(who?.user ?? "")) {
      await mentioned(what.interaction);
    }
    if (what?.kind !== "message") return;
    const one = all?.find(({ interaction }) => interaction === what.interaction);
    if (one === undefined || one.doing === "offered") return;
    const said = await client.fetchQuery(messages(what.interaction)).catch(() => undefined);
    if (said?.at(-1)?.direction !== "inbound") return;
    const name = one.customer || core("work.customer");
    announce(t("notify.message", { name }), preview(core, said, who?.user ?? ""), one.work, true);
  };
  useEffect(() => told.heard(() => heard.current()), []);
}
