import { ActionIcon, Button, Skeleton, Tooltip } from "@mantine/core";
import {
  IconArrowDown,
  IconArrowForwardUp,
  IconArrowLeft,
  IconEye,
  IconUser,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Work } from "../../api/client";
import { messages, notes } from "../../api/questions";
import { live } from "../../live/live";
import { outbox } from "../../live/sending";
import { useStore } from "../../live/store";
import { useShortcuts } from "../../parts/keys";
import { known, MediumIcon } from "../../parts/medium";
import { useNow } from "../../parts/time";
import { speaking } from "../../words/words";
import { Pending } from "./bubbles";
import { kindOf } from "./card";
import { Composer } from "./composer";
import { phone } from "./identity";
import { lookedAt, mentions } from "./mentions";
import { Rows } from "./rows";
import { lastInbound, saw } from "./seen";
import css from "./talk.module.css";
import { WordAbove } from "./word";

const Call = lazy(speaking("phone", () => import("../phone/call")));
const HandOn = lazy(speaking("phone", () => import("../phone/hand-on")));
const Closing = lazy(() => import("./closing").then(({ Closing }) => ({ default: Closing })));

type Props = { work: Work; toggleCustomer: () => void };

/** One interaction: what was written, what to write, and its end. */
export function Conversation({ work, toggleCustomer }: Props) {
  const { t } = useTranslation();
  const [closes, setCloses] = useState(false);
  const [hands, setHands] = useState(false);
  const isWritten = work.medium !== "phone";
  const isWrapping = work.doing === "wrapping up";
  const name = phone(work.customer) || t("work.customer");
  // A call that goes on and has no codes ends by hanging up.
  const mayClose = isWritten || isWrapping || work.dispositions.length > 0;
  const mayHandOn = isWritten && work.doing === "handling";
  useShortcuts({ "alt+e": () => setCloses(mayClose) });
  useLooked(work.interaction);
  useShortcuts(mayHandOn ? { "alt+x": () => setHands(true) } : {});
  return (
    <div className={css.talk}>
      <header className={css.head}>
        <ActionIcon
          className={css.back}
          component={Link}
          to="/work"
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t("work.back")}
        >
          <IconArrowLeft size={20} />
        </ActionIcon>
        <div className={css.who}>
          <h1>{name}</h1>
          <p>
            <MediumIcon kind={kindOf(work)} size={15} />
            <span>
              {work.channel?.name ?? t(`medium.${known(kindOf(work))}`)} · {work.service_name} ·{" "}
              {t("talk.protocol", { protocol: work.protocol })}
            </span>
          </p>
        </div>
        <Tooltip label={`${t("customer.show")} (Alt+C)`}>
          <ActionIcon
            className={css.toggle}
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t("customer.show")}
            onClick={toggleCustomer}
          >
            <IconUser size={20} />
          </ActionIcon>
        </Tooltip>
        {mayHandOn && (
          <Tooltip label="Alt+X">
            <Button
              className={css.handOn}
              variant="default"
              aria-label={t("work.transfer")}
              onClick={() => setHands(true)}
            >
              <IconArrowForwardUp size={18} stroke={1.7} aria-hidden="true" />
              <span className={css.handOnWord}>{t("work.transfer")}</span>
            </Button>
          </Tooltip>
        )}
        <Tooltip label="Alt+E" disabled={!mayClose}>
          <Button
            variant={isWrapping ? "filled" : "default"}
            disabled={!mayClose}
            onClick={() => setCloses(true)}
          >
            {isWrapping || !isWritten ? t("work.wrapUp") : t("close.open")}
          </Button>
        </Tooltip>
      </header>
      <WordAbove work={work} />
      {isWritten ? (
        <>
          <Log work={work} />
          <Composer work={work} name={name} wrapUp={() => setCloses(true)} />
        </>
      ) : (
        <Suspense>
          <Call work={work} />
        </Suspense>
      )}
      <Suspense>
        {hands && <HandOn work={work} close={() => setHands(false)} />}
        {closes && <Closing work={work} isWritten={isWritten} close={() => setCloses(false)} />}
      </Suspense>
    </div>
  );
}

/** What was written, the newest at the foot: it stays there while one is there, and nowhere else. */
function Log({ work }: { work: Work }) {
  const { t } = useTranslation();
  const { data: all } = useQuery(messages(work.interaction));
  const { data: noted } = useQuery(notes(work.interaction));
  const pending = useStore(outbox, (value) => value);
  const own = pending.filter((one) => one.interaction === work.interaction);
  const scroller = useRef<HTMLDivElement>(null);
  const [isUp, setIsUp] = useState(false);
  useRead(work.interaction, lastInbound(all));
  const down = () => scroller.current?.scrollTo({ top: 0, behavior: "smooth" });
  // Who has written wants to see it, wherever they were reading.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what counts is that there is one more.
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
  }, [own.length]);
  return (
    <div className={css.frame}>
      {/* Upside down: a browser then keeps the foot where it is when something grows above it. */}
      <div
        className={css.scroller}
        ref={scroller}
        onScroll={({ currentTarget }) => setIsUp(currentTarget.scrollTop < -160)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
        tabIndex={0}
        role="log"
        aria-label={t("talk.messages")}
      >
        <div className={css.log}>
          {all === undefined && <Loading />}
          {all?.length === 0 && own.length === 0 && (
            <p className={css.nothing}>{t("talk.empty")}</p>
          )}
          <Rows all={all ?? []} noted={noted ?? []} work={work} />
          {own.map((sending) => (
            <Pending key={sending.id} sending={sending} />
          ))}
          <Typing work={work} />
        </div>
      </div>
      {isUp && (
        <ActionIcon
          className={css.down}
          variant="default"
          radius="xl"
          size="lg"
          aria-label={t("talk.newest")}
          onClick={down}
        >
          <IconArrowDown size={18} />
        </ActionIcon>
      )}
    </div>
  );
}

/** Says that one has read, once the page is looked at. */
function useRead(interaction: string, seq: number) {
  useEffect(() => {
    const read = () => {
      if (document.visibilityState !== "visible" || seq === 0 || !saw(interaction, "messages", seq))
        return;
      const params = { path: { id: interaction } };
      const body = { kind: "read", seq } as const;
      // Nobody waits for it: where it gets lost, the next one says the same.
      asked(api.POST("/api/v1/interactions/{id}/signals", { params, body })).catch(() => {});
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [interaction, seq]);
}

/** That one is named in what is open is no news once the page is looked at. */
function useLooked(interaction: string) {
  const isNamed = useStore(mentions, (all) => all.some((one) => one.interaction === interaction));
  useEffect(() => {
    if (!isNamed) return;
    const look = () => {
      if (document.visibilityState === "visible") lookedAt(interaction);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [interaction, isNamed]);
}

/** Who writes at this moment, and who else is here. */
function Typing({ work }: { work: Work }) {
  const { t } = useTranslation();
  const until = useStore(live, ({ typing }) => typing[work.interaction] ?? 0);
  const beside = useStore(live, ({ beside }) => beside[work.interaction]);
  const now = useNow(1_000);
  const there = beside?.filter((one) => one.until > now) ?? [];
  // Its room is always there, so that nothing moves when somebody begins.
  return (
    <p className={css.typing} aria-live="polite">
      {until > now && (
        <>
          <span className={css.dots} aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {t("talk.typing", { name: work.customer || t("work.customer") })}
        </>
      )}
      {there.map(({ by, name, isTyping }) => (
        <span key={by} className={css.beside}>
          <IconEye size={14} stroke={1.8} aria-hidden="true" />
          {t(isTyping ? "talk.noting" : "talk.reading", { name })}
        </span>
      ))}
    </p>
  );
}

function Loading() {
  return (
    <div className={css.loading} aria-hidden="true">
      <Skeleton height={42} width="46%" radius="lg" />
      <Skeleton height={62} width="58%" radius="lg" />
      <Skeleton height={42} width="38%" radius="lg" ml="auto" />
      <Skeleton height={42} width="52%" radius="lg" />
    </div>
  );
}
