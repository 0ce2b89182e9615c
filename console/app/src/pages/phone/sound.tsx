import { Button, Modal, NativeSelect } from "@mantine/core";
import { IconBellRinging, IconEar } from "@tabler/icons-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "../../live/store";
import { ring } from "../../phone/bell";
import { choose, chosen, direct, microphone, type Use } from "../../phone/devices";
import css from "./sound.module.css";

/** Through what one speaks and hears, and whether that works. */
export default function Sound({ close }: { close: () => void }) {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  const { voice, isDenied, allow } = useVoice();
  return (
    <Modal
      opened
      onClose={close}
      title={t("sound.title")}
      size={440}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <div className={css.form}>
        {voice === null ? (
          <>
            <p>{isDenied ? t("sound.denied") : t("sound.allowText")}</p>
            {!isDenied && (
              <Button data-autofocus onClick={allow}>
                {t("sound.allow")}
              </Button>
            )}
          </>
        ) : (
          <>
            <Choice use="microphone" kind="audioinput" />
            <Level voice={voice} />
            <Choice use="speaker" kind="audiooutput" />
            <Echo voice={voice} />
            <Choice use="bell" kind="audiooutput" />
            <Ringing />
          </>
        )}
      </div>
    </Modal>
  );
}

/** The microphone, once it may be had: anew when another is chosen. */
function useVoice() {
  const [voice, setVoice] = useState<MediaStream | null>(null);
  const [isDenied, setIsDenied] = useState(false);
  const id = useStore(chosen, (value) => value.microphone);
  const allow = useCallback(() => {
    microphone().then(setVoice, () => setIsDenied(true));
  }, []);
  // Who has allowed it before is not asked.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another microphone is another voice.
  useEffect(() => {
    navigator.permissions
      ?.query({ name: "microphone" as PermissionName })
      .then(({ state }) => {
        if (state === "granted") allow();
        else setIsDenied(state === "denied");
      })
      .catch(() => {});
  }, [allow, id]);
  useEffect(
    () => () => {
      for (const track of voice?.getTracks() ?? []) track.stop();
    },
    [voice],
  );
  return { voice, isDenied, allow };
}

function Choice({ use, kind }: { use: Use; kind: MediaDeviceKind }) {
  const { t } = useTranslation("phone");
  const id = useStore(chosen, (value) => value[use]);
  const [all, setAll] = useState<readonly MediaDeviceInfo[]>([]);
  useEffect(() => {
    const list = () => void navigator.mediaDevices.enumerateDevices().then(setAll);
    list();
    navigator.mediaDevices.addEventListener("devicechange", list);
    return () => navigator.mediaDevices.removeEventListener("devicechange", list);
  }, []);
  const own = all.filter(
    (one) => one.kind === kind && one.deviceId !== "default" && one.deviceId !== "",
  );
  const data = [
    { value: "", label: t("sound.system") },
    ...own.map(({ deviceId, label }) => ({ value: deviceId, label: label || deviceId })),
  ];
  return (
    <NativeSelect
      label={t(`sound.${use}`)}
      data={data}
      value={own.some(({ deviceId }) => deviceId === id) ? id : ""}
      onChange={(event) => choose(use, event.currentTarget.value)}
    />
  );
}

/** How often the level is read, in milliseconds. */
const LEVEL_EVERY_MS = 80;

/** How loud it is, by what a person calls loud: from 0 to 1. */
function loudness(samples: Float32Array): number {
  const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
  return Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-6) / 5));
}

function Level({ voice }: { voice: MediaStream }) {
  const { t } = useTranslation("phone");
  const bar = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    const context = new AudioContext();
    const ear = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(voice).connect(ear);
    const samples = new Float32Array(ear.fftSize);
    const timer = setInterval(() => {
      ear.getFloatTimeDomainData(samples);
      if (bar.current !== null) bar.current.value = loudness(samples);
    }, LEVEL_EVERY_MS);
    return () => {
      clearInterval(timer);
      void context.close();
    };
  }, [voice]);
  return (
    <div className={css.level}>
      <meter ref={bar} min={0} max={1} value={0} aria-label={t("sound.level")} />
      <small>{t("sound.levelHint")}</small>
    </div>
  );
}

/** How long one speaks before one is played to oneself, in seconds. */
const ECHO_S = 4;

/** What the microphone hears, played where calls are heard. */
function Echo({ voice }: { voice: MediaStream }) {
  const { t } = useTranslation("phone");
  const [left, setLeft] = useState<number | "plays">();
  const over = useRef<() => void>(undefined);
  useEffect(() => () => over.current?.(), []);
  const begin = () => {
    const parts: Blob[] = [];
    const tape = new MediaRecorder(voice);
    tape.ondataavailable = ({ data }) => parts.push(data);
    tape.onstop = () => {
      const url = URL.createObjectURL(new Blob(parts, { type: tape.mimeType }));
      const sound = new Audio(url);
      const done = () => {
        URL.revokeObjectURL(url);
        setLeft(undefined);
      };
      sound.onended = done;
      over.current = () => sound.pause();
      setLeft("plays");
      void direct(sound, "speaker").then(() => sound.play().catch(done));
    };
    let seconds = ECHO_S;
    setLeft(seconds);
    tape.start();
    const timer = setInterval(() => {
      seconds -= 1;
      if (seconds > 0) return setLeft(seconds);
      clearInterval(timer);
      tape.stop();
    }, 1_000);
    over.current = () => {
      clearInterval(timer);
      tape.onstop = null;
      if (tape.state === "recording") tape.stop();
    };
  };
  return (
    <Button
      variant="default"
      leftSection={<IconEar size={17} stroke={1.7} />}
      disabled={left !== undefined}
      onClick={begin}
    >
      <span aria-live="polite">
        {left === undefined
          ? t("sound.echo")
          : left === "plays"
            ? t("sound.playing")
            : t("sound.echoing", { count: left })}
      </span>
    </Button>
  );
}

/** As long as one ring. */
const RINGS_MS = 2_000;

function Ringing() {
  const { t } = useTranslation("phone");
  const silence = useRef<() => void>(undefined);
  useEffect(() => () => silence.current?.(), []);
  const test = () => {
    silence.current?.();
    const over = ring();
    silence.current = over;
    setTimeout(over, RINGS_MS);
  };
  return (
    <Button
      variant="default"
      leftSection={<IconBellRinging size={17} stroke={1.7} />}
      onClick={test}
    >
      {t("sound.test")}
    </Button>
  );
}
