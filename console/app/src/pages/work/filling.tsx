import { Button, Loader, TextInput } from "@mantine/core";
import { IconFile, IconPaperclip } from "@tabler/icons-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Template, Work } from "../../api/client";
import { send } from "../../live/sending";
import { useEnclosures } from "./enclosures";
import { above, type Blank, blanks, filled, values } from "./template";
import css from "./templates.module.css";

/** What a browser offers to choose from, by what stands above the words. */
const ACCEPTED = { image: "image/*", video: "video/*", document: "" } as const;

type Props = { template: Template; work: Work; close: () => void };

/** A template is filled in, and looked at before it goes. */
export function Filling({ template, work, close }: Props) {
  const { t } = useTranslation("agent");
  const needed = blanks(template);
  const file = above(template);
  const enclosures = useEnclosures(work.interaction, 1);
  const [laid] = enclosures.all;
  const [given, setGiven] = useState<Readonly<Record<string, string>>>(() => {
    // Most templates begin with whom they greet.
    const greets = needed.find((one) => one.place === "body");
    return greets ? { [greets.id]: work.customer } : {};
  });
  const isFilled = needed.every((one) => (given[one.id] ?? "").trim() !== "");
  const isWhole = isFilled && (file === undefined || laid?.upload !== undefined);
  const shown = filled(template, given);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isWhole) return;
    send({
      interaction: work.interaction,
      text: shown.body,
      files: laid === undefined ? [] : [laid.name],
      body: {
        template: {
          name: template.name,
          language: template.language,
          // The description leaves the values open: they are as the template names its blanks.
          values: values(template, given) as never,
        },
        ...(laid?.upload === undefined ? {} : { attachments: [laid.upload] }),
      },
    });
    close();
  };
  const label = ({ name, on }: Blank) => {
    if (on !== undefined) return t("template.button", { name: on });
    return /^\d+$/.test(name) ? t("template.value", { name }) : name;
  };
  return (
    <form className={css.form} onSubmit={submit}>
      {file !== undefined && <Above kind={file} enclosures={enclosures} />}
      {needed.map((one) => (
        <TextInput
          key={one.id}
          label={label(one)}
          value={given[one.id] ?? ""}
          onChange={({ currentTarget: { value } }) =>
            setGiven((before) => ({ ...before, [one.id]: value }))
          }
        />
      ))}
      <div>
        <p className={css.label}>{t("template.preview")}</p>
        <div className={css.preview}>
          {file !== undefined && (
            <span className={css.above}>
              <IconFile size={18} stroke={1.6} aria-hidden="true" />
              {laid?.name ?? t(`template.above.${file}`)}
            </span>
          )}
          {shown.header !== "" && <strong>{shown.header}</strong>}
          <p>{shown.body}</p>
          {shown.footer !== "" && <small>{shown.footer}</small>}
        </div>
      </div>
      <Button type="submit" disabled={!isWhole}>
        {t("template.send")}
      </Button>
    </form>
  );
}

type AboveProps = { kind: keyof typeof ACCEPTED; enclosures: ReturnType<typeof useEnclosures> };

/** The file above the words: another takes its place. */
function Above({ kind, enclosures }: AboveProps) {
  const { t } = useTranslation("agent");
  const picker = useRef<HTMLInputElement>(null);
  const [laid] = enclosures.all;
  return (
    <div>
      <p className={css.label}>{t(`template.above.${kind}`)}</p>
      <Button
        variant="default"
        fullWidth
        leftSection={
          laid !== undefined && laid.upload === undefined && laid.why === undefined ? (
            <Loader size={14} />
          ) : (
            <IconPaperclip size={17} stroke={1.7} />
          )
        }
        onClick={() => picker.current?.click()}
      >
        {laid?.name ?? t("template.choose")}
      </Button>
      {laid?.why !== undefined && (
        <p className={css.bad} role="alert">
          {laid.why}
        </p>
      )}
      <input
        ref={picker}
        type="file"
        accept={ACCEPTED[kind]}
        hidden
        onChange={({ currentTarget }) => {
          if ((currentTarget.files?.length ?? 0) > 0) enclosures.only(currentTarget.files);
          currentTarget.value = "";
        }}
      />
    </div>
  );
}
