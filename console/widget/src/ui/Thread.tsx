// What was written, in order: days, matters, bubbles; at the end what is on its way.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Message } from "../protocol.ts";
import { day } from "../words.ts";
import { Bubble, PendingBubble } from "./Bubble.tsx";
import { useShell, useWords } from "./context.ts";
import { Down } from "./icons.tsx";

export function Thread() {
  const shell = useShell();
  const words = useWords();
  const { chat } = shell;
  const box = useRef<HTMLDivElement>(null);
  const typing = chat.theyType(Date.now());
  const scroll = useScroll(box.current, chat.messages);
  const now = chat.serverTime(Date.now());
  const last = chat.messages.at(-1);
  // What is on its way is a newer word than the question.
  const isUnderWay = chat.pending.some(({ state }) => state.is !== "failed");
  const canChoose = !isUnderWay && chat.phase !== "closed";
  return (
    <div class="thread">
      <section
        class="scroll"
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by keys.
        tabIndex={0}
        aria-label={words.conversation}
        onScroll={scroll.moved}
      >
        {chat.hasOlder && (
          <button
            type="button"
            class="plain older"
            disabled={chat.isAskingOlder}
            onClick={() => shell.older()}
          >
            {words.older}
          </button>
        )}
        <ol>
          {chat.messages.map((message, at) => {
            const before = chat.messages[at - 1];
            const after = chat.messages[at + 1];
            return (
              <li key={message.seq}>
                <Divider message={message} before={before} now={now} />
                <Bubble
                  message={message}
                  isFirst={!before || !isSameTurn(before, message)}
                  isLast={!after || !isSameTurn(message, after)}
                  canChoose={canChoose && message === last}
                />
              </li>
            );
          })}
          {chat.pending.map((pending) => (
            <li key={pending.id}>
              <PendingBubble pending={pending} />
            </li>
          ))}
        </ol>
        <Company />
        <div role="status" class="typing-line">
          {typing && <Typing />}
        </div>
      </section>
      {scroll.isAway && (
        <button type="button" class="to-end" aria-label={words.toEnd} onClick={scroll.toEnd}>
          <Down />
          {scroll.missed > 0 && <span>{words.newMessages(scroll.missed)}</span>}
        </button>
      )}
    </div>
  );
}

/** Who is there now, until they wrote. */
function Company() {
  const { chat } = useShell();
  const words = useWords();
  const { agent } = chat;
  const theirs = chat.messages.filter(({ author }) => author.kind === "agent").at(-1);
  return (
    <div role="status">
      {agent && theirs?.author.name !== agent.name && (
        <p class="divider">{words.talkingTo(agent.name)}</p>
      )}
    </div>
  );
}

function Typing() {
  const { chat } = useShell();
  const words = useWords();
  return (
    <p class="bubble is-theirs typing">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span class="hidden">{words.typing(chat.agent?.name ?? words.someone)}</span>
    </p>
  );
}

function Divider(props: { message: Message; before: Message | undefined; now: number }) {
  const { message, before, now } = props;
  const { language } = useShell();
  const words = useWords();
  const today = day(message.at_ms, now, language);
  const isNewDay = !before || day(before.at_ms, now, language) !== today;
  const isNewMatter = before !== undefined && before.interaction !== message.interaction;
  if (!isNewDay && !isNewMatter) return null;
  return (
    <p class="divider">
      {[isNewDay && today, isNewMatter && words.newMatter].filter(Boolean).join(" · ")}
    </p>
  );
}

/** Whether two messages are of one breath: one author, within a few minutes. */
function isSameTurn(one: Message, other: Message): boolean {
  return (
    one.author.kind === other.author.kind &&
    one.author.name === other.author.name &&
    one.interaction === other.interaction &&
    other.at_ms - one.at_ms < TURN_MS
  );
}

/** Keeps the end in sight for who looks at it, and the place of who looks at something older. */
function useScroll(box: HTMLElement | null, messages: readonly Message[]) {
  const [isAway, setAway] = useState(false);
  /** The last that was in sight. */
  const [seen, setSeen] = useState(0);
  const before = useRef({ first: 0, height: 0 });
  const first = messages[0]?.seq ?? 0;
  const last = messages.at(-1)?.seq ?? 0;
  const toEnd = () => box?.scrollTo({ top: box.scrollHeight });
  useLayoutEffect(() => {
    if (!box) return;
    // Older ones came above: what was looked at stays where it was.
    if (first < before.current.first) box.scrollTop += box.scrollHeight - before.current.height;
    else if (!isAway) toEnd();
    if (!isAway) setSeen(last);
    before.current = { first, height: box.scrollHeight };
  });
  useEffect(() => {
    if (!box) return;
    // Pictures that load and a keyboard that opens change the height.
    const watcher = new ResizeObserver(() => {
      if (box.dataset.away === undefined) box.scrollTo({ top: box.scrollHeight });
    });
    watcher.observe(box);
    for (const child of box.children) watcher.observe(child);
    return () => watcher.disconnect();
  }, [box]);
  const moved = () => {
    if (!box) return;
    const away = box.scrollHeight - box.scrollTop - box.clientHeight > NEAR_PX;
    if (away) box.dataset.away = "";
    else delete box.dataset.away;
    setAway(away);
  };
  const isMissed = ({ seq, author }: Message) => seq > seen && author.kind !== "visitor";
  return { isAway, missed: messages.filter(isMissed).length, moved, toEnd };
}

/** So near to the end one looks at the end. */
const NEAR_PX = 80;

/** Messages that are further apart are not of one breath. */
const TURN_MS = 300_000;
