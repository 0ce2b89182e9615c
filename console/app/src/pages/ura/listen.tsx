import { ActionIcon, Tooltip } from "@mantine/core";
import { IconPlayerPlayFilled, IconPlayerStopFilled } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, namedCompany } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import type { FlowLanguage } from "./document";

type Spoken = {
  readonly text: string;
  readonly voice?: string;
  readonly language: FlowLanguage;
  readonly speed_percent?: number;
};

/** What can be heard: something said, a prompt as callers hear it or as it was made, or a file. */
export type Sound =
  | Spoken
  | { readonly prompt: string; readonly as?: "audio" | "original" }
  | { readonly file: Promise<Blob> };

/** Where a prompt is heard as callers hear it, or as it was made. */
export function promptUrl(id: string, as: "audio" | "original"): string {
  const company = namedCompany();
  return `/api/v1/prompts/${encodeURIComponent(id)}/${as}${company === "" ? "" : `?${company}`}`;
}

/** A text as a voice says it to callers. */
async function spoken(sound: Spoken): Promise<Blob> {
  const { text, voice, language, speed_percent = 100 } = sound;
  const body = { text, language, speed_percent, ...(voice === undefined ? {} : { voice }) };
  const heard = await asked(api.POST("/api/v1/voices/preview", { body, parseAs: "blob" }));
  return heard as unknown as Blob;
}

async function urlOf(sound: Sound): Promise<string> {
  if ("prompt" in sound) return promptUrl(sound.prompt, sound.as ?? "audio");
  return URL.createObjectURL("file" in sound ? await sound.file : await spoken(sound));
}

/** What sounds now: one thing at a time, whoever began it. */
let sounding: { audio: HTMLAudioElement; stop: () => void } | undefined;

/** Plays and stops. */
export function usePlayer() {
  const [is, setIs] = useState<"still" | "coming" | "sounding">("still");
  const own = useRef<() => void>(undefined);
  const why = useWhy();
  const stop = () => {
    own.current?.();
    own.current = undefined;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what sounds ends with whoever began it.
  useEffect(() => stop, []);

  const play = async (sound: Sound) => {
    sounding?.stop();
    setIs("coming");
    let url = "";
    const audio = new Audio();
    const end = () => {
      audio.pause();
      if (url.startsWith("blob:")) URL.revokeObjectURL(url);
      if (sounding?.audio === audio) sounding = undefined;
      setIs("still");
    };
    own.current = end;
    sounding = { audio, stop: end };
    audio.onended = end;
    try {
      url = await urlOf(sound);
      if (sounding?.audio !== audio) return;
      audio.src = url;
      await audio.play();
      setIs("sounding");
    } catch (error) {
      const isOurs = sounding?.audio === audio;
      end();
      if (isOurs) notice(why(error));
    }
  };
  return { is, play, stop };
}

type Props = { sound: Sound | undefined; label: string; size?: number };

/** Plays something at once, and stops it. */
export function Listen({ sound, label, size = 36 }: Props) {
  const { t } = useTranslation("ura");
  const { is, play, stop } = usePlayer();
  const name = is === "sounding" ? t("message.stop") : label;
  return (
    <Tooltip label={name}>
      <ActionIcon
        variant="light"
        radius="xl"
        size={size}
        aria-label={name}
        disabled={sound === undefined}
        loading={is === "coming"}
        onClick={() => (is === "sounding" ? stop() : sound && void play(sound))}
      >
        {is === "sounding" ? (
          <IconPlayerStopFilled size={16} aria-hidden="true" />
        ) : (
          <IconPlayerPlayFilled size={16} aria-hidden="true" />
        )}
      </ActionIcon>
    </Tooltip>
  );
}
