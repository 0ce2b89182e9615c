import { Button } from "@mantine/core";
import { IconDeviceLandlinePhone, IconHeadphones, IconPlayerStopFilled } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { usePlayer } from "../ura/listen";
import css from "./prompts.module.css";

/** Heard as it was made, and as the telephone gives it. */
export function Hear({ prompt }: { prompt: Schemas["Prompt"] }) {
  return (
    <div className={css.hear}>
      <Way id={prompt.id} as="audio" />
      <Way id={prompt.id} as="original" />
    </div>
  );
}

function Way({ id, as }: { id: string; as: "audio" | "original" }) {
  const { t } = useTranslation("ura");
  const { is, play, stop } = usePlayer();
  const Icon =
    is === "sounding"
      ? IconPlayerStopFilled
      : as === "audio"
        ? IconDeviceLandlinePhone
        : IconHeadphones;
  return (
    <Button
      variant={as === "audio" ? "light" : "default"}
      leftSection={<Icon size={17} stroke={1.7} aria-hidden="true" />}
      loading={is === "coming"}
      aria-pressed={is === "sounding"}
      onClick={() => (is === "sounding" ? stop() : void play({ prompt: id, as }))}
    >
      {t(as === "audio" ? "prompts.asPhone" : "prompts.asMade")}
    </Button>
  );
}
