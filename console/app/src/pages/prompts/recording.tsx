import { Button, Modal, NativeSelect, NumberInput, Skeleton, TextInput } from "@mantine/core";
import { IconPlayerPlayFilled, IconPlayerStopFilled } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Refused, type Schemas } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import type { FlowLanguage } from "../ura/document";
import { usePlayer } from "../ura/listen";
import { prompts } from "../ura/questions";
import { nameOf, upload } from "../ura/upload";
import { languageOf } from "./page";
import css from "./prompts.module.css";
import { cut, wav } from "./wav";
import type { Span } from "./wave";

const Wave = lazy(() => import("./wave"));

type Prompt = Schemas["Prompt"];

type Props = {
  /** A file that was dropped, or where one that is here lies. */
  source: File | string;
  /** The prompt that it is of. */
  of?: Prompt;
  close: () => void;
  done: (made: Prompt) => void;
};

/** Nearer to an end than this nothing is cut, in seconds. */
const EDGE = 0.02;

/** A recording before it is laid down: cut to what callers shall hear. */
export function Recording({ source, of, close, done }: Props) {
  const { t, i18n } = useTranslation("ura");
  const { t: core } = useTranslation();
  const [name, setName] = useState(of?.name ?? (source instanceof File ? nameOf(source.name) : ""));
  const [language, setLanguage] = useState<FlowLanguage>(
    of === undefined ? (i18n.language as FlowLanguage) : languageOf(of),
  );
  const [note, setNote] = useState(of?.text ?? "");
  const [length, setLength] = useState(0);
  const [span, setSpan] = useState<Span>({ from: 0, to: 0 });
  const client = useQueryClient();
  const why = useWhy();
  const player = usePlayer();
  const isCut = length > 0 && (span.from > EDGE || span.to < length - EDGE);
  const file = async () => {
    if (source instanceof File && !isCut) return source;
    return new File([await kept(source, isCut ? span : undefined)], `${name}.wav`);
  };
  const save = useMutation({
    mutationFn: async () =>
      upload(await file(), {
        name: name.trim(),
        language,
        ...(note.trim() === "" ? {} : { text: note.trim() }),
      }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: prompts.queryKey });
      done(made);
    },
    onError: (error) => {
      if (!(error instanceof Refused && error.field !== undefined)) notice(why(error));
    },
  });
  const fault = save.error instanceof Refused ? save.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const bound = (value: number | string) => Math.max(0, Math.min(length, Number(value) || 0));
  const rounded = (value: number) => Math.round(value * 100) / 100;
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={t(of === undefined ? "prompts.new" : "prompts.cut")}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <form className={css.making} onSubmit={submit}>
        <Suspense fallback={<Skeleton height={88} />}>
          <Wave
            source={source}
            span={span}
            choose={setSpan}
            read={(seconds) => {
              setLength(seconds);
              setSpan({ from: 0, to: seconds });
            }}
          />
        </Suspense>
        {fault?.field === "file" && <p className={css.fault}>{fault.message}</p>}
        {length > 0 && (
          <div className={css.ends}>
            <NumberInput
              label={t("prompts.from")}
              suffix=" s"
              decimalScale={2}
              step={0.1}
              min={0}
              max={rounded(span.to)}
              decimalSeparator={i18n.language === "en" ? "." : ","}
              value={rounded(span.from)}
              onChange={(value) => setSpan({ ...span, from: Math.min(bound(value), span.to) })}
            />
            <NumberInput
              label={t("prompts.to")}
              suffix=" s"
              decimalScale={2}
              step={0.1}
              min={rounded(span.from)}
              max={rounded(length)}
              decimalSeparator={i18n.language === "en" ? "." : ","}
              value={rounded(span.to)}
              onChange={(value) => setSpan({ ...span, to: Math.max(bound(value), span.from) })}
            />
            <Button
              variant="light"
              leftSection={
                player.is === "sounding" ? (
                  <IconPlayerStopFilled size={15} aria-hidden="true" />
                ) : (
                  <IconPlayerPlayFilled size={15} aria-hidden="true" />
                )
              }
              onClick={() =>
                player.is === "sounding"
                  ? player.stop()
                  : void player.play({ file: kept(source, span) })
              }
            >
              {t(player.is === "sounding" ? "message.stop" : "prompts.listen")}
            </Button>
          </div>
        )}
        <div className={css.pair}>
          <TextInput
            data-autofocus
            label={t("prompts.name")}
            required
            maxLength={100}
            value={name}
            error={fault?.field === "name" && fault.message}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NativeSelect
            label={t("form.language")}
            value={language}
            onChange={(event) => setLanguage(event.currentTarget.value as FlowLanguage)}
          >
            {(["pt-BR", "en", "es"] as const).map((one) => (
              <option key={one} value={one}>
                {t(`language.${one}`)}
              </option>
            ))}
          </NativeSelect>
        </div>
        <TextInput
          label={t("prompts.note")}
          description={t("prompts.noteText")}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <div className={css.foot}>
          <Button variant="default" onClick={close}>
            {t("publish.cancel")}
          </Button>
          <Button type="submit" disabled={name.trim() === ""} loading={save.isPending}>
            {t("prompts.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** The recording, or the part of it that is kept, as WAV. */
async function kept(source: File | string, span: Span | undefined): Promise<Blob> {
  const bytes =
    source instanceof File ? await source.arrayBuffer() : await (await fetch(source)).arrayBuffer();
  const context = new OfflineAudioContext(1, 1, 48_000);
  const sound = await context.decodeAudioData(bytes);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, at) =>
    sound.getChannelData(at),
  );
  const { from, to } = span ?? { from: 0, to: sound.duration };
  const samples = cut(channels, sound.sampleRate, from, to);
  return new Blob([wav(samples, sound.sampleRate)], { type: "audio/wav" });
}
