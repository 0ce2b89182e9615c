import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { messages, useMe, work } from "../../api/questions";
import { useTold } from "../../live/told";
import { preview } from "../work/card";

/** Whether this browser shows words outside of its window, and how to ask for it. */
export function useMayAnnounce() {
  const [may, setMay] = useState(() =>
    "Notification" in window ? Notification.permission : ("impossible" as const),
  );
  const ask = () => void Notification.requestPermission().then(setMay);
  return { may, ask };
}

type Announced = {
  readonly title: string;
  readonly body: string;
  /** What of the same is shown already is shown no second time. */
  readonly tag: string;
  /** What a click does, once the window is there again. */
  readonly does: () => void;
};

/** Shows something outside of the window, where nobody looks at it. */
export function announce({ title, body, tag, does }: Announced): void {
  const isLooked = document.visibilityState === "visible" && document.hasFocus();
  if (isLooked || !("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body, tag });
  shown.onclick = () => {
    window.focus();
    shown.close();
    does();
  };
}

/** Shows outside of the window who calls and who has written. */
export function useAnnouncing(): void {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: all } = useQuery(work);
  const me = useMe();
  const known = useRef(new Set<string>());

  useEffect(() => {
    const offered = all?.filter(({ doing }) => doing === "offered") ?? [];
    for (const one of offered) {
      if (known.current.has(one.work)) continue;
      const name = one.customer || core("work.customer");
      announce({
        title: t(one.medium === "phone" ? "notify.call" : "notify.offer", { name }),
        body: one.service_name,
        tag: one.work,
        does: () => void navigate({ to: "/work" }),
      });
    }
    known.current = new Set(offered.map(({ work }) => work));
  });

  useTold(async (what) => {
    if (what.kind !== "message") return;
    const one = all?.find(({ interaction }) => interaction === what.interaction);
    if (one === undefined || one.doing === "offered") return;
    // There is another one: what was got a moment ago is old.
    const fresh = { ...messages(what.interaction), staleTime: 0 };
    const said = await client.fetchQuery(fresh).catch(() => undefined);
    if (said?.at(-1)?.direction !== "inbound") return;
    const name = one.customer || core("work.customer");
    announce({
      title: t("notify.message", { name }),
      body: preview(core, said, me),
      tag: one.work,
      does: () => void navigate({ to: "/work/$work", params: { work: one.work } }),
    });
  });
}
