import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Session } from "../../api/client";
import { may, setsUp } from "../../api/may";
import { found, pauses, quickReplies, work } from "../../api/questions";
import { Keys } from "../../parts/keys";
import { notice } from "../../parts/notices";
import { dialled } from "../phone/find";
import { useDial } from "../phone/orders";
import { phone as written } from "../work/identity";
import { type Entry, sought } from "./found";
import css from "./palette.module.css";
import { usePresence } from "./presence";

type Props = { me: Session; showKeys: () => void; close: () => void };

/** Anywhere and anything, by a few letters. */
export default function Palette({ me, showKeys, close }: Props) {
  const { t } = useTranslation("agent");
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const entries = useEntries(me, typed, showKeys);
  const picked = entries[chosen];
  // biome-ignore lint/correctness/useExhaustiveDependencies: other letters mean others.
  useEffect(() => setChosen(0), [typed]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen is to be seen.
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen, typed]);
  const take = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    close();
    entry.does();
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: entries.length - 1 }[event.key];
    if (step !== undefined && entries.length > 0) setChosen((chosen + step) % entries.length);
    else if (event.key === "Enter") take(picked);
    else return;
    event.preventDefault();
  };
  const option = (place: number) => `${id}-${place}`;
  return (
    <Modal opened onClose={close} withCloseButton={false} padding={0} size={600} yOffset="12vh">
      <div className={css.palette}>
        <label className={css.field}>
          <IconSearch size={18} stroke={1.7} aria-hidden="true" />
          <input
            data-autofocus
            role="combobox"
            aria-expanded
            aria-controls={id}
            aria-activedescendant={picked === undefined ? undefined : option(chosen)}
            aria-label={t("palette.title")}
            placeholder={t("palette.hint")}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={pressed}
          />
        </label>
        <div id={id} ref={list} role="listbox" aria-label={t("palette.title")} className={css.list}>
          {entries.length === 0 && (
            <p className={css.none} role="status">
              {t("palette.none")}
            </p>
          )}
          {entries.map((entry, place) => (
            <div key={entry.id}>
              {entry.group !== entries[place - 1]?.group && (
                <p className={css.group} aria-hidden="true">
                  {entry.group}
                </p>
              )}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field, which keeps the focus, has the keys. */}
              <div
                id={option(place)}
                role="option"
                tabIndex={-1}
                aria-selected={place === chosen}
                className={css.one}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(entry)}
              >
                <span className={css.name}>{entry.name}</span>
                {entry.more !== undefined && <span className={css.more}>{entry.more}</span>}
                {entry.keys !== undefined && <Keys of={entry.keys} />}
              </div>
            </div>
          ))}
        </div>
      </div>
    </Modal>
  );
}

/** How long after the last letter the program is asked, in milliseconds. */
const ASK_AFTER_MS = 200;

/** Fewer letters than this find everybody. */
const LETTERS_MIN = 2;

function useEntries(me: Session, typed: string, showKeys: () => void): readonly Entry[] {
  const { t } = useTranslation("agent");
  const { t: core } = useTranslation();
  const navigate = useNavigate();
  const dial = useDial();
  const { me: agent, wish } = usePresence();
  const isAgent = agent !== undefined;
  const { data: mine = [] } = useQuery({ ...work, enabled: isAgent });
  const { data: reasons = [] } = useQuery({ ...pauses, enabled: isAgent });
  const { data: replies = [] } = useQuery({ ...quickReplies, enabled: isAgent });
  const [letters] = useDebouncedValue(typed.trim(), ASK_AFTER_MS);
  const { data: there } = useQuery({
    ...found(letters, may(me, "interactions", "view")),
    enabled: letters.length >= LETTERS_MIN,
    placeholderData: keepPreviousData,
  });
  const number = dialled(typed);
  const page =
    (to: "/work" | "/wall" | "/trace" | "/ura" | "/prompts" | "/settings" | "/account") => () =>
      void navigate({ to });

  const own: Entry[] = mine
    .filter(({ doing }) => doing !== "offered")
    .map((one) => ({
      id: `work ${one.work}`,
      name: written(one.customer) || core("work.customer"),
      more: `${one.service_name} · ${one.protocol}`,
      group: t("palette.work"),
      does: () => void navigate({ to: "/work/$work", params: { work: one.work } }),
    }));
  const group = t("palette.go");
  const pages: Entry[] = [
    ...(isAgent ? [{ id: "/work", name: core("nav.work"), group, does: page("/work") }] : []),
    ...(may(me, "desk", "view")
      ? [{ id: "/wall", name: core("nav.wall"), group, does: page("/wall") }]
      : []),
    ...(may(me, "interactions", "view")
      ? [{ id: "/trace", name: t("palette.trace"), group, does: page("/trace") }]
      : []),
    ...(may(me, "flows", "view")
      ? [
          { id: "/ura", name: t("palette.ura"), group, does: page("/ura") },
          { id: "/prompts", name: t("palette.prompts"), group, does: page("/prompts") },
        ]
      : []),
    ...(setsUp(me)
      ? [{ id: "/settings", name: t("palette.settings"), group, does: page("/settings") }]
      : []),
    { id: "/account", name: t("palette.account"), group, does: page("/account") },
  ];
  const does = t("palette.does");
  const actions: Entry[] = [
    ...(isAgent
      ? [
          {
            id: "come",
            name: core("presence.come"),
            group: does,
            keys: "Alt+D",
            does: () => wish.mutate({ presence: "available" }),
          },
          ...reasons.map((pause) => ({
            id: `pause ${pause.id}`,
            name: t("palette.pause", { name: pause.name }),
            group: does,
            does: () => wish.mutate({ presence: "paused", reason: pause.id }),
          })),
          {
            id: "go",
            name: core("presence.go"),
            group: does,
            does: () => wish.mutate({ presence: "offline" }),
          },
        ]
      : []),
    { id: "keys", name: t("palette.keys"), group: does, keys: "?", does: showKeys },
  ];
  const texts: Entry[] = replies.map((reply) => ({
    id: `reply ${reply.id}`,
    name: `/${reply.shortcut}`,
    more: reply.text,
    group: t("palette.replies"),
    does: () =>
      void navigator.clipboard.writeText(reply.text).then(() => notice(t("palette.copied"))),
  }));
  const answered: Entry[] = [
    ...(there?.contacts ?? []).flatMap((one): Entry[] => {
      const name = written(one.name) || core("work.customer");
      const own = { id: `contact ${one.id}`, group: t("palette.contacts") };
      if (may(me, "interactions", "view")) {
        return [
          { ...own, name, does: () => void navigate({ to: "/trace", search: { q: one.name } }) },
        ];
      }
      const to = reached(one.identities);
      if (to === undefined) return [];
      return [
        {
          ...own,
          name: t("palette.dial", { number: name }),
          more: written(to),
          does: () => dial.mutate(to),
        },
      ];
    }),
    ...(there?.interactions ?? []).map((one) => ({
      id: `interaction ${one.id}`,
      name: one.protocol,
      more: one.from_name || written(one.from),
      group: t("palette.interactions"),
      does: () => void navigate({ to: "/trace/$interaction", params: { interaction: one.id } }),
    })),
  ];
  const call: Entry[] =
    number !== undefined && isAgent
      ? [
          {
            id: "dial",
            name: t("palette.dial", { number: typed.trim() }),
            group: does,
            does: () => dial.mutate(number),
          },
        ]
      : [];
  const isAsked = typed.trim() !== "";
  return [
    ...call,
    ...sought([...own, ...pages, ...actions, ...(isAsked ? texts : [])], typed),
    ...(isAsked ? answered : []),
  ];
}

/** By which number a customer can be called, where one is known. */
function reached(all: readonly { kind: string; external_id: string }[]): string | undefined {
  return all.find(({ kind }) => kind === "phone" || kind === "wa_id")?.external_id;
}
