import { useTranslation } from "react-i18next";
import { flows } from "../kept";
import { ChoiceField, NumberField, SwitchField, TextField, useOptions } from "../parts/fields";
import type { Part } from "../parts/form";
import { Lines } from "../parts/lines";
import css from "./services.module.css";
import type { Action, Field, Node } from "./tree";

type Props = {
  node: Node;
  change: (changes: Partial<Node>) => void;
  /** Whether the tree was refused as it is. */
  isWrong: boolean;
};

/** What a code asks of the agent, and what happens when it is chosen. */
export function Leaf({ node, change, isWrong }: Props) {
  const { t } = useTranslation("settings");
  const of: Part<{ fields: readonly FieldLine[]; actions: readonly ActionLine[] }> = {
    value: { fields: node.fields.map(fieldLine), actions: node.actions.map(actionLine) },
    set: ({ fields, actions }) =>
      change({
        ...(fields === undefined ? {} : { fields: fields.map(field) }),
        ...(actions === undefined ? {} : { actions: actions.map(action) }),
      }),
    why: () => undefined,
  };
  const missing = (name: string) =>
    isWrong && name.trim() === "" ? t("leaf.nameless") : undefined;
  const followed = useOptions(flows);
  return (
    <div className={css.leaf}>
      <Lines
        of={of}
        at="fields"
        label={t("leaf.fields")}
        hint={t("leaf.fieldsHint")}
        add={t("leaf.addField")}
        blank={{ name: "", required: false, kind: "text", choices: "" }}
      >
        {(line) => (
          <>
            <TextField
              of={{ ...line, why: () => missing(line.value.name) }}
              at="name"
              label={t("leaf.field")}
            />
            <ChoiceField
              of={line}
              at="kind"
              label={t("leaf.kind")}
              options={KINDS.map((value) => ({ value, label: t(`leaf.kinds.${value}`) }))}
            />
            {line.value.kind === "choice" && (
              <TextField of={line} at="choices" label={t("leaf.choices")} lines={3} />
            )}
            <SwitchField of={line} at="required" label={t("leaf.required")} />
          </>
        )}
      </Lines>
      <Lines
        of={of}
        at="actions"
        label={t("leaf.actions")}
        add={t("leaf.addAction")}
        blank={{ kind: "message", text: "", flow: "", hours: 24 }}
      >
        {(line) => (
          <>
            <ChoiceField
              of={line}
              at="kind"
              label={t("leaf.action")}
              options={ACTIONS.map((value) => ({ value, label: t(`leaf.does.${value}`) }))}
            />
            {line.value.kind === "message" && (
              <TextField of={line} at="text" label={t("leaf.text")} lines={2} />
            )}
            {(line.value.kind === "survey" || line.value.kind === "return_to_bot") && (
              <ChoiceField of={line} at="flow" label={t("leaf.flow")} options={followed} />
            )}
            {line.value.kind === "reopen_after" && (
              <NumberField
                of={line}
                at="hours"
                label={t("leaf.hours")}
                unit="h"
                empty={1}
                min={1}
              />
            )}
          </>
        )}
      </Lines>
    </div>
  );
}

const KINDS = ["text", "number", "choice"] as const;
const ACTIONS = ["message", "survey", "reopen_asked", "reopen_after", "return_to_bot"] as const;

/** A field as its line shows it. */
type FieldLine = {
  name: string;
  required: boolean;
  kind: (typeof KINDS)[number];
  /** One a line. */
  choices: string;
};

/** An action as its line shows it. */
type ActionLine = { kind: (typeof ACTIONS)[number]; text: string; flow: string; hours: number };

function fieldLine({ name, required, kind }: Field): FieldLine {
  return typeof kind === "string"
    ? { name, required, kind, choices: "" }
    : { name, required, kind: "choice", choices: kind.choice.join("\n") };
}

function field({ name, required, kind, choices }: FieldLine): Field {
  return { name, required, kind: kind === "choice" ? { choice: choices.split("\n") } : kind };
}

const HOUR_MS = 3_600_000;

function actionLine(action: Action): ActionLine {
  const blank = { text: "", flow: "", hours: 24 };
  if ("message" in action) return { ...blank, kind: "message", text: action.message };
  if ("survey" in action) return { ...blank, kind: "survey", flow: action.survey };
  if ("return_to_bot" in action) {
    return { ...blank, kind: "return_to_bot", flow: action.return_to_bot };
  }
  if (action.reopen === "asked") return { ...blank, kind: "reopen_asked" };
  return { ...blank, kind: "reopen_after", hours: action.reopen.after_ms / HOUR_MS };
}

function action({ kind, text, flow, hours }: ActionLine): Action {
  if (kind === "message") return { message: text };
  if (kind === "survey") return { survey: flow };
  if (kind === "return_to_bot") return { return_to_bot: flow };
  if (kind === "reopen_asked") return { reopen: "asked" };
  return { reopen: { after_ms: hours * HOUR_MS } };
}
