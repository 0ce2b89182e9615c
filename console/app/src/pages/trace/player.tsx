import { ActionIcon, Button, UnstyledButton } from "@mantine/core";
import {
  IconDownload,
  IconHeadphones,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
} from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import WaveSurfer from "wavesurfer.js";
import { namedCompany, Refused, type Schemas } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import css from "./player.module.css";
import { span } from "./rows";

type Props = { recording: Schemas["Recording"] };

/** A recording, once somebody wants to hear it: who listens is written down. */
export function Player({ recording }: Props) {
  const { t: say, i18n } = useTranslation("supervision");
  const why = useWhy();
  const address = `/api/v1/recordings/${recording.id}/audio?${namedCompany()}`;
  const fetched = useMutation({
    mutationFn: async () => {
      const answer = await fetch(address).catch(() => {
        throw new Refused(0);
      });
      if (!answer.ok) throw new Refused(answer.status);
      return answer.blob();
    },
    onError: (error) => notice(why(error)),
  });
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "short" });
  return (
    <section className={css.player} aria-label={say("player.title")}>
      {fetched.data === undefined ? (
        <>
          <Button
            leftSection={<IconHeadphones size={17} stroke={1.8} />}
            loading={fetched.isPending}
            onClick={() => fetched.mutate()}
          >
            {say("player.listen")}
          </Button>
          <p className={css.about}>
            {span(recording.duration_ms)} · {time.format(recording.started_ms)}
            <small>{say("player.noted")}</small>
          </p>
        </>
      ) : (
        <Waves sound={fetched.data} name={`${recording.id}.${recording.format}`} />
      )}
    </section>
  );
}

const SPEEDS: readonly number[] = [1, 1.25, 1.5, 2];

/** Both sides of the call, one above the other. */
function Waves({ sound, name }: { sound: Blob; name: string }) {
  const { t: say } = useTranslation("supervision");
  const box = useRef<HTMLDivElement>(null);
  const left = useRef<HTMLSpanElement>(null);
  const right = useRef<HTMLSpanElement>(null);
  const player = useRef<WaveSurfer>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  const [speed, setSpeed] = useState(1);
  useEffect(() => {
    if (box.current === null) return;
    const colour = (of: HTMLElement | null) => (of === null ? "" : getComputedStyle(of).color);
    const ground = getComputedStyle(box.current).backgroundColor;
    const side = (of: HTMLElement | null) => ({
      waveColor: `color-mix(in srgb, ${colour(of)} 38%, ${ground})`,
      progressColor: colour(of),
    });
    const made = WaveSurfer.create({
      container: box.current,
      height: 44,
      barWidth: 2,
      barGap: 1,
      barRadius: 2,
      cursorColor: getComputedStyle(box.current).color,
      cursorWidth: 2,
      normalize: true,
      dragToSeek: true,
      splitChannels: [side(left.current), side(right.current)],
      cspNonce: document.querySelector("meta[name=csp-nonce]")?.getAttribute("content") ?? "",
    });
    made.on("play", () => setIsPlaying(true));
    made.on("pause", () => setIsPlaying(false));
    made.on("timeupdate", setAt);
    made.on("ready", (seconds) => {
      setLength(seconds);
      // Whoever pressed to listen wants to hear it; a browser that does not let it begins at the button.
      void made.play().catch(() => {});
    });
    void made.loadBlob(sound).catch(() => {});
    player.current = made;
    return () => made.destroy();
  }, [sound]);
  const [download] = useState(() => URL.createObjectURL(sound));
  useEffect(() => () => URL.revokeObjectURL(download), [download]);
  return (
    <>
      <ActionIcon
        size={44}
        radius="xl"
        aria-label={isPlaying ? say("player.pause") : say("player.play")}
        onClick={() => void player.current?.playPause()}
      >
        {isPlaying ? <IconPlayerPauseFilled size={20} /> : <IconPlayerPlayFilled size={20} />}
      </ActionIcon>
      <div className={css.sides}>
        <span ref={left} data-side="customer">
          {say("player.customer")}
        </span>
        <span ref={right} data-side="agent">
          {say("player.agent")}
        </span>
      </div>
      <div className={css.waves} ref={box} />
      <div className={css.controls}>
        <span className={css.time}>
          {span(at * 1_000)} / {span(length * 1_000)}
        </span>
        <UnstyledButton
          className={css.speed}
          aria-label={say("player.speed", { speed })}
          onClick={() => {
            const next = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length] ?? 1;
            setSpeed(next);
            player.current?.setPlaybackRate(next, true);
          }}
        >
          {speed}×
        </UnstyledButton>
        <ActionIcon
          component="a"
          href={download}
          download={name}
          variant="subtle"
          color="gray"
          aria-label={say("player.download")}
        >
          <IconDownload size={17} stroke={1.7} />
        </ActionIcon>
      </div>
    </>
  );
}
