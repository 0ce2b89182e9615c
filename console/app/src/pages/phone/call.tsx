import { ActionIcon, Button, Menu, Popover, UnstyledButton } from "@mantine/core";
import {
  IconArrowsExchange,
  IconDialpad,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhoneOff,
  IconPhoneOutgoing,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerRecord,
  IconUsers,
  IconWifiOff,
} from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas, Work } from "../../api/client";
import { useStore } from "../../live/store";
import { Avatar } from "../../parts/avatar";
import { useShortcuts } from "../../parts/keys";
import { notice } from "../../parts/notices";
import { expect, hangUp, muted, phone, quality } from "../../phone/handset";
import { type Seen, seen } from "../../phone/seen";
import { speaking } from "../../words/words";
import { phone as written } from "../work/identity";
import css from "./call.module.css";
import { Clock } from "./clock";
import { Keypad } from "./keypad";
import { useCall, useMute, useOrder } from "./orders";

const Targets = lazy(() => import("./targets"));
const NoteBox = lazy(speaking("agent", () => import("../work/note")));

/** A call that one has in hand: who it is, how it stands, and what can be done with it. */
export default function CallPane({ work }: { work: Work }) {
  const { call, me } = useCall();
  const isThis = call?.interaction === work.interaction;
  return (
    <div className={css.pane}>
      {isThis && work.doing !== "wrapping up" ? (
        <Up work={work} call={call} me={me} />
      ) : (
        <Over work={work} />
      )}
    </div>
  );
}

function Over({ work }: { work: Work }) {
  const { t } = useTranslation("phone");
  const isOver = work.doing === "wrapping up";
  return (
    <div className={css.who}>
      <Avatar name={work.customer} size={72} />
      <h2>{isOver ? t("state.over") : t("state.connecting")}</h2>
      {isOver && <p>{t("state.overText")}</p>}
    </div>
  );
}

type UpProps = { work: Work; call: Schemas["Call"]; me: string };

function Up({ work, call, me }: UpProps) {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const now = seen(call, me);
  const hint = useStore(quality, (value) => value);
  const isNamed = call.customer !== "" && call.customer !== work.customer;
  return (
    <>
      <div className={css.who}>
        <Avatar name={work.customer} size={72} />
        <h2>{written(work.customer) || core("work.customer")}</h2>
        {isNamed && <p>{written(call.customer)}</p>}
        <p className={css.state} data-warm={now.isHeld || now.asks !== "no"} role="status">
          <Clock sinceMs={work.since_ms} /> · <State now={now} />
        </p>
        {!now.isAsked && <Bring interaction={call.interaction} />}
      </div>
      {hint !== null && (
        <p className={css.hint} role="status">
          <IconWifiOff size={17} stroke={1.7} aria-hidden="true" />
          {t(`quality.${hint}`)}
        </p>
      )}
      {now.asks === "no" || now.isAsked ? (
        <Controls call={call} now={now} />
      ) : (
        <Asking call={call} now={now} />
      )}
      <Note interaction={call.interaction} />
    </>
  );
}

/** The sound is not here, as after a page was loaded anew: one's phone rings again, and is taken by itself. */
function Bring({ interaction }: { interaction: string }) {
  const { t } = useTranslation("phone");
  const order = useOrder(interaction);
  const isHere = useStore(phone, (value) => value !== null && value.leg.is !== "none");
  if (isHere) return null;
  const bring = () => {
    expect();
    order.mutate({ order: "bring" });
  };
  return (
    <Button variant="light" loading={order.isPending} onClick={bring}>
      {t("do.bring")}
    </Button>
  );
}

function State({ now }: { now: Seen }) {
  const { t } = useTranslation("phone");
  const isHere = useStore(phone, (value) => value !== null && value.leg.is !== "none");
  if (now.isAsked) return t("state.aside");
  if (now.asks === "ringing") return t("asks.ringing");
  if (now.asks === "with them") return t("asks.them");
  if (now.asks === "with the customer") return t("asks.customer");
  if (now.asks === "together") return t("asks.together");
  if (now.isHeld) return t("state.held");
  return isHere ? t("state.talking") : t("state.elsewhere");
}

/** Whether nobody hears us: as the program says, and at once as we have wished. */
function useMuted(now: Seen): boolean {
  return useStore(muted, (value) => value) || now.isMuted;
}

type ControlsProps = { call: Schemas["Call"]; now: Seen };

function Controls({ call, now }: ControlsProps) {
  const { t } = useTranslation("phone");
  const order = useOrder(call.interaction);
  const silence = useMute(call.interaction);
  const isMuted = useMuted(now);
  const [hands, setHands] = useState<"transfer" | "consult">();
  const [types, setTypes] = useState(false);
  const mute = () => silence(!isMuted);
  const hold = () => order.mutate({ order: now.isHeld ? "resume" : "hold" });
  const leave = useLeave(call.interaction);
  useShortcuts({
    "alt+m": mute,
    "alt+h": () => !now.isAsked && hold(),
    "alt+k": () => setTypes((is) => !is),
    "alt+x": () => !now.isAsked && setHands("transfer"),
    "alt+q": leave,
  });
  return (
    <>
      <div className={css.controls}>
        <Control
          icon={isMuted ? <IconMicrophoneOff size={22} /> : <IconMicrophone size={22} />}
          label={isMuted ? t("do.unmute") : t("do.mute")}
          keys="Alt M"
          isOn={isMuted}
          does={mute}
        />
        {!now.isAsked && (
          <Control
            icon={now.isHeld ? <IconPlayerPlay size={22} /> : <IconPlayerPause size={22} />}
            label={now.isHeld ? t("do.resume") : t("do.hold")}
            keys="Alt H"
            isOn={now.isHeld}
            does={hold}
          />
        )}
        <Popover opened={types} onChange={setTypes} position="top" shadow="md" trapFocus>
          <Popover.Target>
            <Control
              icon={<IconDialpad size={22} />}
              label={t("do.keypad")}
              keys="Alt K"
              does={() => setTypes((is) => !is)}
            />
          </Popover.Target>
          <Popover.Dropdown>
            <Keypad press={(keys) => order.mutate({ order: "press", keys })} />
          </Popover.Dropdown>
        </Popover>
        {!now.isAsked && (
          <>
            <Control
              icon={<IconPhoneOutgoing size={22} />}
              label={t("do.transfer")}
              keys="Alt X"
              does={() => setHands("transfer")}
            />
            <Control
              icon={<IconUsers size={22} />}
              label={t("do.consult")}
              does={() => setHands("consult")}
            />
            <Recording call={call} />
          </>
        )}
      </div>
      <HangUp leave={leave} />
      <Suspense>
        {hands !== undefined && (
          <Targets
            title={t(`target.${hands}`)}
            does={t(`do.${hands}`)}
            numbers
            note={hands === "transfer"}
            isGoing={order.isPending}
            close={() => setHands(undefined)}
            go={async (to, note) => {
              if (note !== "") await order.mutateAsync({ order: "note", text: note });
              await order.mutateAsync({ order: hands, to } as never);
              setHands(undefined);
              if (hands === "transfer") notice(t("target.done"));
            }}
          />
        )}
      </Suspense>
    </>
  );
}

/** Leaves the call: by the phone of this window, or by the program where one talks on another. */
function useLeave(interaction: string): () => void {
  const order = useOrder(interaction);
  return () => {
    if (phone.now()?.leg.is === "talking") hangUp();
    else order.mutate({ order: "hang_up" });
  };
}

function HangUp({ leave }: { leave: () => void }) {
  const { t } = useTranslation("phone");
  return (
    <Button
      className={css.end}
      color="red.9"
      size="md"
      radius="xl"
      leftSection={<IconPhoneOff size={19} />}
      title="Alt Q"
      onClick={leave}
    >
      {t("do.hangUp")}
    </Button>
  );
}

type ControlProps = {
  icon: ReactNode;
  label: string;
  keys?: string;
  isOn?: boolean;
  does: () => void;
};

function Control({ icon, label, keys, isOn, does, ...others }: ControlProps) {
  return (
    <UnstyledButton
      {...others}
      className={css.control}
      data-on={isOn}
      aria-pressed={isOn}
      title={keys}
      onClick={does}
    >
      <span>{icon}</span>
      {label}
    </UnstyledButton>
  );
}

/** What may be done with the tape, by how it stands. */
const TAPES = {
  off: ["start"],
  on: ["pause", "stop"],
  paused: ["resume", "stop"],
} as const;

/** How the tape stands, and what becomes of it. */
function Recording({ call }: { call: Schemas["Call"] }) {
  const { t } = useTranslation("phone");
  const order = useOrder(call.interaction);
  const is = call.recording === "on" || call.recording === "paused" ? call.recording : "off";
  return (
    <Menu position="top" width={250} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <UnstyledButton className={css.control} data-tape={is}>
          <span>
            {is === "paused" ? <IconPlayerPause size={22} /> : <IconPlayerRecord size={22} />}
          </span>
          {t(is === "off" ? "record.menu" : `record.${is}`)}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {TAPES[is].map((what) => (
          <Menu.Item key={what} onClick={() => order.mutate({ order: "record", what })}>
            {t(`record.${what}`)}
          </Menu.Item>
        ))}
        {is === "on" && <Menu.Label>{t("record.card")}</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Somebody is asked: with whom one speaks, and how it goes on. */
function Asking({ call, now }: { call: Schemas["Call"]; now: Seen }) {
  const { t } = useTranslation("phone");
  const order = useOrder(call.interaction);
  const silence = useMute(call.interaction);
  const isMuted = useMuted(now);
  const isThere = now.asks !== "ringing";
  const leave = useLeave(call.interaction);
  const mute = () => silence(!isMuted);
  useShortcuts({ "alt+m": mute, "alt+q": leave });
  return (
    <>
      <div className={css.controls}>
        <Control
          icon={isMuted ? <IconMicrophoneOff size={22} /> : <IconMicrophone size={22} />}
          label={isMuted ? t("do.unmute") : t("do.mute")}
          keys="Alt M"
          isOn={isMuted}
          does={mute}
        />
        {isThere && now.asks !== "together" && (
          <Control
            icon={<IconArrowsExchange size={22} />}
            label={t("asks.switch")}
            does={() => order.mutate({ order: "switch" })}
          />
        )}
        {isThere && now.asks !== "together" && (
          <Control
            icon={<IconUsers size={22} />}
            label={t("asks.join")}
            does={() => order.mutate({ order: "join" })}
          />
        )}
      </div>
      <div className={css.ends}>
        <Button variant="default" radius="xl" onClick={() => order.mutate({ order: "cancel" })}>
          {t("asks.cancel")}
        </Button>
        {isThere && (
          <Button
            radius="xl"
            loading={order.isPending}
            onClick={() => order.mutate({ order: "complete" })}
          >
            {t("asks.complete")}
          </Button>
        )}
        <ActionIcon
          color="red.9"
          radius="xl"
          size={36}
          title="Alt Q"
          aria-label={t("do.hangUp")}
          onClick={leave}
        >
          <IconPhoneOff size={19} />
        </ActionIcon>
      </div>
    </>
  );
}

/** Something to remember of the call. */
function Note({ interaction }: { interaction: string }) {
  const order = useOrder(interaction);
  return (
    <div className={css.notes}>
      <Suspense>
        <NoteBox
          interaction={interaction}
          isFirst={false}
          keep={(text) => order.mutateAsync({ order: "note", text })}
        />
      </Suspense>
    </div>
  );
}
