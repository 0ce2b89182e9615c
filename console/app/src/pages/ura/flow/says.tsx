import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Document, Say } from "../document";
import { Message } from "../message";
import css from "./editor.module.css";

type Props = {
  label: string;
  value: readonly Say[];
  change: (say: Say[]) => void;
  document: Document;
  fault: string | undefined;
  isFixed: boolean;
};

const KINDS: readonly Say["kind"][] = [
  "text",
  "prompt",
  "number",
  "digits",
  "protocol",
  "date",
  "time",
  "money",
  "ordinal",
  "sound",
];

/** What is said, one after the other: texts, recordings, numbers and dates in words. */
export function Says({ label, value, change, document, fault, isFixed }: Props) {
  const { t } = useTranslation("ura");
  const put = (place: number, say: Say) =>
    change(value.map((one, at) => (at === place ? say : one)));
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      {value.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice; the place is what is meant.
        <div key={place} className={css.say}>
          {one.kind === "text" || one.kind === "prompt" ? (
            <Message
              label={`${label} ${place + 1}`}
              value={one}
              change={(say) => put(place, say)}
              language={document.language ?? "pt-BR"}
              voice={document.voice}
              fault={place === 0 ? fault : undefined}
              isFixed={isFixed}
            />
          ) : (
            <TextInput
              label={t(`say.${one.kind}`)}
              value={one.kind === "sound" ? one.sound : one.value}
              error={place === 0 && fault}
              readOnly={isFixed}
              onChange={({ currentTarget: { value: text } }) =>
                put(place, one.kind === "sound" ? { ...one, sound: text } : { ...one, value: text })
              }
            />
          )}
          {!isFixed && (
            <ActionIcon
              className={css.dropSay ?? ""}
              variant="subtle"
              color="gray"
              size={28}
              aria-label={t("editor.dropSay", { place: place + 1 })}
              onClick={() => change(value.filter((_, at) => at !== place))}
            >
              <IconX size={15} aria-hidden="true" />
            </ActionIcon>
          )}
        </div>
      ))}
      {value.length === 0 && fault !== undefined && <p className={css.fault}>{fault}</p>}
      {!isFixed && (
        <Menu position="bottom-start" withInitialFocusPlaceholder={false}>
          <Menu.Target>
            <Button
              className={css.more ?? ""}
              variant="subtle"
              size="compact-sm"
              leftSection={<IconPlus size={14} aria-hidden="true" />}
            >
              {t("editor.addSay")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {KINDS.map((kind) => (
              <Menu.Item key={kind} onClick={() => change([...value, freshSay(kind)])}>
                {t(`say.${kind}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  );
}

function freshSay(kind: Say["kind"]): Say {
  if (kind === "text") return { kind, text: "" };
  if (kind === "prompt") return { kind, prompt: "" };
  if (kind === "sound") return { kind, sound: "sentences/goodbye" };
  return { kind, value: "" };
}
