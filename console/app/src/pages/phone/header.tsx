import { ActionIcon, Button, Popover, TextInput, UnstyledButton } from "@mantine/core";
import {
  IconBell,
  IconBellOff,
  IconDialpad,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhone,
  IconPhoneOff,
  IconSettings,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { work } from "../../api/questions";
import { useStore } from "../../live/store";
import { useShortcuts } from "../../parts/keys";
import { useLasting } from "../../parts/time";
import { hangUp, muted, phone, without } from "../../phone/handset";
import { have } from "../../phone/phone";
import { phone as written } from "../work/identity";
import { useAnnouncing, useMayAnnounce } from "./announcing";
import { Clock } from "./clock";
import { useCounting } from "./counting";
import { wanted } from "./find";
import css from "./header.module.css";
import { Keypad } from "./keypad";
import { called, useCall, useDial, useMute, useOrder } from "./orders";
import { useTelling } from "./telling";

const Sound = lazy(() => import("./sound"));

/** The telephone in the head of the window: how it is, whom to call, and the call that runs. */
export default function PhoneOfWindow({ isAgent }: { isAgent: boolean }) {
  useEffect(have, []);
  const leg = useStore(phone, (value) => value?.leg.is ?? "none");
  useEffect(() => {
    if (leg !== "talking") return;
    // A page that is loaded anew has no sound, and the customer hears nobody.
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [leg]);
  return (
    <div className={css.phone}>
      {isAgent && <Listening />}
      {leg === "talking" && <Running isAgent={isAgent} />}
      <Dialler />
    </div>
  );
}

/** What is told to who takes work, wherever they are. */
function Listening() {
  useAnnouncing();
  useTelling();
  useCounting();
  return null;
}

/** The call that runs, wherever one is in the window. */
function Running({ isAgent }: { isAgent: boolean }) {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const { call, me } = useCall();
  const to = useStore(called, (value) => value);
  const { data: all } = useQuery({ ...work, enabled: isAgent });
  const leg = useStore(phone, (value) => value?.leg);
  const isMuted = useStore(muted, (value) => value);
  const silence = useMute(call?.interaction ?? "");
  const own = all?.find((one) => one.interaction === call?.interaction);
  // From every page; where the page of the call is open it does the same.
  useShortcuts({ "alt+q": hangUp });
  if (leg?.is !== "talking") return null;
  // Who calls a number of the company is the customer there: what counts is whom they have called.
  const isCaller = call?.parties.some(({ role, user }) => role === "customer" && user === me);
  const other = isCaller ? to : own?.customer;
  const name = written(other || leg.from) || core("work.customer");
  return (
    <div className={css.running}>
      {own === undefined ? (
        <span className={css.name}>{name}</span>
      ) : (
        <Link className={css.name} to="/work/$work" params={{ work: own.work }}>
          {name}
        </Link>
      )}
      <Clock sinceMs={leg.since} />
      <ActionIcon
        variant={isMuted ? "filled" : "subtle"}
        color="gray"
        radius="xl"
        aria-pressed={isMuted}
        aria-label={isMuted ? t("do.unmute") : t("do.mute")}
        onClick={() => silence(!isMuted)}
      >
        {isMuted ? <IconMicrophoneOff size={17} /> : <IconMicrophone size={17} />}
      </ActionIcon>
      {call !== undefined && own === undefined && <Digits interaction={call.interaction} />}
      <ActionIcon color="red.9" radius="xl" aria-label={t("do.hangUp")} onClick={hangUp}>
        <IconPhoneOff size={17} />
      </ActionIcon>
    </div>
  );
}

/** Keys for a call that has no page of its own: to a number of the company, whose menu asks for them. */
function Digits({ interaction }: { interaction: string }) {
  const { t } = useTranslation("phone");
  const order = useOrder(interaction);
  return (
    <Popover position="bottom" shadow="md" radius="lg" trapFocus>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" radius="xl" aria-label={t("do.keypad")}>
          <IconDialpad size={17} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Keypad press={(keys) => order.mutate({ order: "press", keys })} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Dialler() {
  const { t } = useTranslation("phone");
  const [isOpen, setIsOpen] = useState(false);
  const [sounds, setSounds] = useState(false);
  const line = useLine();
  useShortcuts({ "alt+l": () => setIsOpen((is) => !is) });
  return (
    <>
      <Popover
        opened={isOpen}
        onChange={setIsOpen}
        position="bottom-end"
        width={310}
        shadow="md"
        radius="lg"
        trapFocus
      >
        <Popover.Target>
          <UnstyledButton
            className={css.button}
            aria-label={t("open")}
            title={`${t("title")} (Alt+L)`}
            onClick={() => setIsOpen((is) => !is)}
          >
            <IconPhone size={19} stroke={1.7} />
            <i data-line={line} />
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <div className={css.panel}>
            <p className={css.line} role="status">
              <i data-line={line} />
              {t(`line.${line}`)}
            </p>
            <Trouble />
            <Dial close={() => setIsOpen(false)} />
            <div className={css.rows}>
              <UnstyledButton
                className={css.row}
                onClick={() => {
                  setIsOpen(false);
                  setSounds(true);
                }}
              >
                <IconSettings size={17} stroke={1.7} aria-hidden="true" />
                {t("sound.open")}
              </UnstyledButton>
              <Announcing />
            </div>
          </div>
        </Popover.Dropdown>
      </Popover>
      <Suspense>{sounds && <Sound close={() => setSounds(false)} />}</Suspense>
    </>
  );
}

/** A shorter absence mends itself before anybody could do anything about it, in milliseconds. */
const ABSENT_AFTER_MS = 6_000;

/** How the telephone is, in a word: a short absence is not shown, and a long one does not flicker. */
function useLine() {
  const line = useStore(phone, (value) => value?.line.is);
  const why = useStore(without, (value) => value);
  const is = line ?? why ?? "opening";
  const isAbsent = is === "opening" || is === "waiting";
  const isLong = useLasting(isAbsent, ABSENT_AFTER_MS);
  const before = useRef<typeof is>("opening");
  if (!isAbsent) before.current = is;
  return isLong ? "waiting" : before.current;
}

function Trouble() {
  const { t } = useTranslation("phone");
  const trouble = useStore(phone, (value) => value?.trouble ?? null);
  return trouble === null ? null : (
    <p className={css.trouble} role="alert">
      {t(`trouble.${trouble}`)}
    </p>
  );
}

function Dial({ close }: { close: () => void }) {
  const { t } = useTranslation("phone");
  const [typed, setTyped] = useState("");
  const [refused, setRefused] = useState("");
  const dial = useDial(setRefused);
  const isReady = useStore(phone, (value) => value?.line.is === "ready" && value.leg.is === "none");
  const whom = wanted(typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setRefused("");
    if (whom !== undefined && isReady) dial.mutate(whom, { onSuccess: close });
  };
  return (
    <form className={css.dial} onSubmit={submit}>
      <TextInput
        data-autofocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-label={t("dial.label")}
        placeholder={t("dial.hint")}
        value={typed}
        error={refused}
        errorProps={{ role: "alert" }}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setRefused("");
        }}
      />
      <Button type="submit" disabled={whom === undefined || !isReady} loading={dial.isPending}>
        {t("dial.call")}
      </Button>
    </form>
  );
}

/** Whether what calls is shown outside of the window as well. */
function Announcing() {
  const { t } = useTranslation("phone");
  const { may, ask } = useMayAnnounce();
  if (may === "impossible") return null;
  if (may === "default") {
    return (
      <UnstyledButton className={css.row} onClick={ask}>
        <IconBell size={17} stroke={1.7} aria-hidden="true" />
        <span>
          {t("notify.allow")}
          <small>{t("notify.allowText")}</small>
        </span>
      </UnstyledButton>
    );
  }
  const Icon = may === "granted" ? IconBell : IconBellOff;
  return (
    <p className={css.row} data-still="true">
      <Icon size={17} stroke={1.7} aria-hidden="true" />
      {may === "granted" ? t("notify.on") : t("notify.off")}
    </p>
  );
}
