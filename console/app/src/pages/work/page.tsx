import { IconMessages } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Work } from "../../api/client";
import { work } from "../../api/questions";
import { useStore } from "../../live/store";
import { Empty } from "../../parts/empty";
import { Keys, useShortcuts } from "../../parts/keys";
import { phone, answer as take } from "../../phone/handset";
import { Customer } from "./customer";
import { List } from "./list";
import { useAnswer } from "./offer";
import css from "./work.module.css";

const conversation = () => import("./conversation");
const Conversation = lazy(() =>
  conversation().then(({ Conversation }) => ({ default: Conversation })),
);

/** The agent's page: what calls and what is in hand, the conversation, the customer. */
export function WorkPage() {
  const { t } = useTranslation();
  const { work: id } = useParams({ strict: false });
  // Whether the customer is where they are not by themselves: shown where room is scarce, away where it is not.
  const [isTurned, setIsTurned] = useState(false);
  const { data: all } = useQuery(work);
  const navigate = useNavigate();
  const offers = all?.filter((one) => one.doing === "offered") ?? [];
  const mine = all?.filter((one) => one.doing !== "offered") ?? [];
  const open = mine.find((one) => one.work === id);
  const answer = useAnswer();
  const turn = () => setIsTurned((is) => !is);

  useEffect(() => {
    document.title = `${t("nav.work")} · ${t("name")}`;
  }, [t]);

  // With the first customer comes what they are answered with, before it is opened.
  const isAnybody = all !== undefined && all.length > 0;
  useEffect(() => {
    if (isAnybody) void conversation();
  }, [isAnybody]);

  // What was closed, moved on or taken away leaves the page to what is next.
  const isGone = all !== undefined && id !== undefined && open === undefined && !answer.isPending;
  useEffect(() => {
    if (isGone) void navigate({ to: "/work" });
  }, [isGone, navigate]);

  const pick = (place: number) => {
    const one = mine[place - 1];
    if (one !== undefined) void navigate({ to: "/work/$work", params: { work: one.work } });
  };
  const picks = Array.from({ length: 9 }, (_, place) => [
    `alt+${place + 1}`,
    () => pick(place + 1),
  ]);
  const leg = useStore(phone, (value) => value?.leg);
  const rings = leg?.is === "ringing";
  const first = offers.find((one) => one.medium !== "phone" || rings);
  useTaken(mine, leg?.is === "talking" ? leg.id : undefined);
  useShortcuts({
    ...Object.fromEntries(picks),
    "alt+a": () => {
      if (first === undefined) return rings && take();
      answer.mutate({ work: first.work, medium: first.medium, takes: true });
    },
    "alt+c": turn,
  });

  return (
    <div className={css.page} data-open={open !== undefined} data-turned={isTurned}>
      <List all={all} offers={offers} mine={mine} open={open?.work} />
      <section className={css.middle} aria-label={t("talk.messages")}>
        {open === undefined ? (
          <Empty
            icon={<IconMessages size={44} stroke={1.3} />}
            title={mine.length > 0 ? t("work.pick") : t("work.quiet")}
            text={
              mine.length > 0 ? (
                <>
                  {t("work.pickText")} <Keys of="Alt+1" />
                </>
              ) : (
                t("work.quietText")
              )
            }
          />
        ) : (
          <Suspense>
            <Conversation key={open.work} work={open} toggleCustomer={turn} />
          </Suspense>
        )}
      </section>
      <Customer work={open} isTurned={isTurned} close={() => setIsTurned(false)} />
    </div>
  );
}

/** A call that was taken is shown, once. */
function useTaken(mine: readonly Work[], leg: string | undefined) {
  const navigate = useNavigate();
  const shown = useRef<string>(undefined);
  const call = mine.find(({ medium, doing }) => medium === "phone" && doing !== "wrapping up");
  useEffect(() => {
    // Who was asked about a call and is handed it has other work in hand, by the same leg.
    if (leg === undefined || call === undefined || shown.current === call.work) return;
    shown.current = call.work;
    void navigate({ to: "/work/$work", params: { work: call.work } });
  }, [leg, call, navigate]);
}
