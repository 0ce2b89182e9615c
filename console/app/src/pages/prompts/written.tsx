import { Button, Modal, NativeSelect, Slider, Textarea, TextInput } from "@mantine/core";
import { IconPlayerPlayFilled, IconPlayerStopFilled } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, Refused, type Schemas } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import type { FlowLanguage } from "../ura/document";
import { usePlayer } from "../ura/listen";
import { Voice } from "../ura/message";
import { prompts } from "../ura/questions";
import { languageOf } from "./page";
import css from "./prompts.module.css";

type Prompt = Schemas["Prompt"];

type Props = {
  /** The text that one begins with. */
  of?: Prompt;
  /** The draft that is spoken anew; without it another is made. */
  changes?: Prompt | undefined;
  close: () => void;
  done: (made: Prompt) => void;
};

/** A text and who says it: heard, then saved. */
export function Written({ of, changes, close, done }: Props) {
  const { t, i18n } = useTranslation("ura");
  const { t: core } = useTranslation();
  const [name, setName] = useState(of?.name ?? "");
  const [text, setText] = useState(of?.text ?? "");
  const [language, setLanguage] = useState<FlowLanguage>(
    of === undefined ? (i18n.language as FlowLanguage) : languageOf(of),
  );
  const [voice, setVoice] = useState(of?.voice ?? "");
  const [speed, setSpeed] = useState(of?.speed_percent ?? 100);
  const player = usePlayer();
  const client = useQueryClient();
  const why = useWhy();
  const spoken = { text, language, speed_percent: speed, ...(voice === "" ? {} : { voice }) };
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), ...spoken };
      if (changes === undefined) return asked(api.POST("/api/v1/prompts/from-text", { body }));
      const params = { path: { id: changes.id } };
      return asked(api.PATCH("/api/v1/prompts/{id}", { params, body }));
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: prompts.queryKey });
      done(made);
    },
    onError: (error) => {
      if (!(error instanceof Refused && error.field !== undefined)) notice(why(error));
    },
  });
  const faultAt = (field: string) =>
    save.error instanceof Refused && save.error.field === field ? save.error.message : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const isEmpty = text.trim() === "";
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={t(changes === undefined ? "prompts.write" : "prompts.change")}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <form className={css.making} onSubmit={submit}>
        <TextInput
          data-autofocus
          label={t("prompts.name")}
          required
          maxLength={100}
          value={name}
          error={faultAt("name")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          label={t("prompts.words")}
          required
          autosize
          minRows={3}
          maxRows={10}
          value={text}
          error={faultAt("text")}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <div className={css.pair}>
          <NativeSelect
            label={t("form.language")}
            value={language}
            onChange={(event) => {
              setLanguage(event.currentTarget.value as FlowLanguage);
              setVoice("");
            }}
          >
            {(["pt-BR", "en", "es"] as const).map((one) => (
              <option key={one} value={one}>
                {t(`language.${one}`)}
              </option>
            ))}
          </NativeSelect>
          <Voice label={t("message.voice")} value={voice} language={language} change={setVoice} />
        </div>
        <div className={css.speed}>
          <span id="speed">{t("prompts.speed", { percent: speed })}</span>
          <Slider
            min={50}
            max={200}
            step={5}
            value={speed}
            label={null}
            thumbProps={{ "aria-labelledby": "speed" }}
            onChange={setSpeed}
          />
        </div>
        <div className={css.foot}>
          <Button
            variant="light"
            className={css.first ?? ""}
            leftSection={
              player.is === "sounding" ? (
                <IconPlayerStopFilled size={15} aria-hidden="true" />
              ) : (
                <IconPlayerPlayFilled size={15} aria-hidden="true" />
              )
            }
            disabled={isEmpty}
            loading={player.is === "coming"}
            onClick={() => (player.is === "sounding" ? player.stop() : void player.play(spoken))}
          >
            {t(player.is === "sounding" ? "message.stop" : "prompts.listen")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("publish.cancel")}
          </Button>
          <Button type="submit" disabled={isEmpty || name.trim() === ""} loading={save.isPending}>
            {t("prompts.save")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
