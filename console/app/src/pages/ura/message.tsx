import { Button, NativeSelect, SegmentedControl, Textarea } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import type { FlowLanguage, Say } from "./document";
import { Listen, type Sound } from "./listen";
import css from "./message.module.css";
import { prompts, voices } from "./questions";
import { SOUNDS, upload } from "./upload";

type Props = {
  label: string;
  value: Say;
  change: (say: Say) => void;
  language: FlowLanguage;
  /** The voice of texts that name none. */
  voice?: string | null | undefined;
  fault?: string | undefined;
  isFixed?: boolean | undefined;
};

/** A message: a text with a voice, or a recording; heard at once. */
export function Message({ label, value, change, language, voice, fault, isFixed }: Props) {
  const { t } = useTranslation("ura");
  const [isOver, setIsOver] = useState(false);
  const bring = useUpload(language, (prompt) => change({ kind: "prompt", prompt }));
  const drop = (event: DragEvent) => {
    if (isFixed) return;
    event.preventDefault();
    setIsOver(false);
    const file = event.dataTransfer.files[0];
    if (file !== undefined) bring.mutate(file);
  };
  const kinds = [
    { value: "text", label: t("message.write") },
    { value: "prompt", label: t("message.choose") },
    ...(value.kind === "text" || value.kind === "prompt"
      ? []
      : [{ value: value.kind, label: t("message.other") }]),
  ];
  const become = (kind: string) => {
    if (kind === "text") change({ kind: "text", text: "" });
    if (kind === "prompt") change({ kind: "prompt", prompt: "" });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: who has no mouse has the button for files.
    <div
      className={css.message}
      data-over={isOver}
      onDragOver={(event) => {
        if (isFixed || !event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <div className={css.bar}>
        <SegmentedControl
          size="xs"
          aria-label={t("message.how", { name: label })}
          data={kinds}
          value={value.kind}
          onChange={become}
          disabled={isFixed ?? false}
        />
        <Listen
          // To have a text said takes the right to change it.
          sound={isFixed && value.kind === "text" ? undefined : soundOf(value, language, voice)}
          label={t("message.listen", { name: label })}
        />
      </div>
      {value.kind === "text" && (
        <Written {...{ label, value, change, language, voice, fault, isFixed }} />
      )}
      {value.kind === "prompt" && (
        <Chosen {...{ label, value, change, fault, isFixed }}>
          <Button
            component="label"
            variant="default"
            leftSection={<IconUpload size={16} aria-hidden="true" />}
            loading={bring.isPending}
            disabled={isFixed ?? false}
          >
            {t("message.upload")}
            <input
              type="file"
              className="unseen"
              accept={SOUNDS}
              onChange={({ currentTarget: { files } }) => files?.[0] && bring.mutate(files[0])}
            />
          </Button>
        </Chosen>
      )}
      {value.kind !== "text" && value.kind !== "prompt" && (
        <p className={css.other}>{t("message.shipped")}</p>
      )}
    </div>
  );
}

/** What of a message can be heard before anybody calls. */
export function soundOf(
  say: Say,
  language: FlowLanguage,
  voice: string | null | undefined,
): Sound | undefined {
  if (say.kind === "prompt") return say.prompt === "" ? undefined : { prompt: say.prompt };
  if (say.kind !== "text" || say.text.trim() === "") return undefined;
  const by = say.voice ?? voice;
  return { text: say.text, language, ...(by == null ? {} : { voice: by }) };
}

/** Lays a recording down as a prompt that callers may hear at once. */
function useUpload(language: FlowLanguage, done: (prompt: string) => void) {
  const client = useQueryClient();
  const why = useWhy();
  const { t } = useTranslation("ura");
  return useMutation({
    mutationFn: async (file: File) => {
      const made = await upload(file, { language });
      const params = { path: { id: made.id } };
      await asked(api.POST("/api/v1/prompts/{id}/publish", { params }));
      await client.invalidateQueries({ queryKey: prompts.queryKey });
      return made;
    },
    onSuccess: (made) => {
      done(made.id);
      notice(t("message.uploaded", { name: made.name }));
    },
    onError: (error) => notice(why(error)),
  });
}

type WrittenProps = Omit<Props, "value"> & { value: Extract<Say, { kind: "text" }> };

function Written({ label, value, change, language, voice, fault, isFixed }: WrittenProps) {
  return (
    <>
      <Textarea
        aria-label={label}
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        value={value.text}
        error={fault}
        readOnly={isFixed ?? false}
        onChange={({ currentTarget: { value: text } }) => change({ ...value, text })}
      />
      <Voice
        value={value.voice}
        usual={voice}
        language={language}
        isFixed={isFixed}
        change={(by) => {
          const { voice: _, ...rest } = value;
          change(by === "" ? rest : { ...rest, voice: by });
        }}
      />
    </>
  );
}

type VoiceProps = {
  value: string | null | undefined;
  usual?: string | null | undefined;
  language: FlowLanguage;
  change: (voice: string) => void;
  isFixed?: boolean | undefined;
  label?: string;
};

/** Who speaks: voices of the language first. */
export function Voice({ value, usual, language, change, isFixed, label }: VoiceProps) {
  const { t } = useTranslation("ura");
  const { data: all = [] } = useQuery(voices);
  const named = (id: string) => all.find((one) => one.id === id)?.name ?? id;
  const option = (id: string, name: string) => ({ value: id, label: name });
  const isOurs = (one: { language: string }) => one.language === language;
  const ours = all.filter(isOurs).map((one) => option(one.id, one.name));
  const others = all.filter((one) => !isOurs(one)).map((one) => option(one.id, one.name));
  const unknown = value != null && value !== "" && !all.some((one) => one.id === value);
  return (
    <NativeSelect
      {...(label === undefined ? { "aria-label": t("message.voice") } : { label })}
      value={value ?? ""}
      disabled={isFixed ?? false}
      onChange={(event) => change(event.currentTarget.value)}
    >
      <option value="">
        {usual == null ? t("message.usualVoice") : t("message.flowVoice", { name: named(usual) })}
      </option>
      {unknown && <option value={value}>{value}</option>}
      <optgroup label={t(`language.${language}`)}>
        {ours.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </optgroup>
      {others.length > 0 && (
        <optgroup label={t("message.otherVoices")}>
          {others.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </optgroup>
      )}
    </NativeSelect>
  );
}

type ChosenProps = {
  label: string;
  value: Extract<Say, { kind: "prompt" }>;
  change: (say: Say) => void;
  fault?: string | undefined;
  isFixed?: boolean | undefined;
  children: ReactNode;
};

function Chosen({ label, value, change, fault, isFixed, children }: ChosenProps) {
  const { t } = useTranslation("ura");
  const { data: all = [] } = useQuery(prompts);
  const chosen = all.find((one) => one.id === value.prompt);
  const shown = all.filter((one) => one.state === "published" || one.id === value.prompt);
  return (
    <>
      <div className={css.chosen}>
        <NativeSelect
          aria-label={label}
          value={value.prompt}
          error={fault}
          disabled={isFixed ?? false}
          onChange={(event) => change({ kind: "prompt", prompt: event.currentTarget.value })}
        >
          <option value="">{t("message.pick")}</option>
          {value.prompt !== "" && chosen === undefined && (
            <option value={value.prompt}>{t("message.gone")}</option>
          )}
          {shown.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </NativeSelect>
        {children}
      </div>
      {chosen !== undefined && chosen.text !== "" && <p className={css.said}>“{chosen.text}”</p>}
    </>
  );
}
