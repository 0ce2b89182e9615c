import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { IconTrash, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Document, Finding, Node } from "../document";
import { Voice } from "../message";
import css from "./editor.module.css";
import { FieldOf } from "./fields";
import { change as changed, connect, type Exit, exits, remove, rename } from "./graph";
import { FIELDS } from "./kinds";
import { placesOf } from "./layout";
import type { Names } from "./names";

export type PanelProps = {
  document: Document;
  names: Names;
  findings: readonly Finding[];
  change: (next: Document, what?: string) => void;
  isFixed: boolean;
};

type StepProps = PanelProps & { id: string; node: Node; close: () => void };

/** A step beside the drawing: made from the fields of its kind. */
export function StepPanel({ id, node, close, ...props }: StepProps) {
  const { t } = useTranslation("ura");
  const { document, names, findings, change, isFixed } = props;
  const [showsRare, setShowsRare] = useState(false);
  const ours = findings.filter((one) => one.node === id);
  const fields = FIELDS[node.kind];
  const isSet = (name: string) => (node as unknown as Record<string, unknown>)[name] != null;
  const rare = fields.filter((one) => one.isRare);
  const shown = fields.filter((one) => !one.isRare || showsRare || isSet(one.name));
  const places = exits(node).filter(({ name }) => name !== "key" && name !== "leave");
  const put = (next: Node, what?: string) => change(changed(document, id, next), `${id}${what}`);
  const isKnown = (one: Finding) =>
    one.field !== "" && fields.some(({ name }) => one.field.startsWith(`/${name}`));
  const ofWhole = ours.filter((one) => !isKnown(one) && !places.some(({ at }) => at === one.field));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <aside className={css.panel} aria-label={names.title(id)} tabIndex={0}>
      <header>
        <div>
          <h2>{t(`kind.${node.kind}.name`)}</h2>
          <p>{t(`kind.${node.kind}.text`)}</p>
        </div>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t("editor.closePanel")}
          onClick={close}
        >
          <IconX size={18} aria-hidden="true" />
        </ActionIcon>
      </header>
      {ofWhole.map((one) => (
        <p key={`${one.code}${one.field}`} className={css.finding} data-is={one.severity}>
          {one.sentence}
        </p>
      ))}
      <TextInput
        label={t("editor.title")}
        placeholder={t(`kind.${node.kind}.name`)}
        value={document.layout?.[id]?.title ?? ""}
        maxLength={60}
        readOnly={isFixed}
        onChange={({ currentTarget: { value } }) =>
          change(
            rename(document, id, value, placesOf(document)[id] ?? { x: 0, y: 0 }),
            `${id} title`,
          )
        }
      />
      {shown.map((field) => (
        <FieldOf
          key={field.name}
          field={field}
          node={node}
          change={put}
          document={document}
          names={names}
          findings={ours}
          isFixed={isFixed}
        />
      ))}
      {rare.some((one) => !isSet(one.name)) && (
        <Button
          className={css.more ?? ""}
          variant="subtle"
          size="compact-sm"
          aria-expanded={showsRare}
          onClick={() => setShowsRare(!showsRare)}
        >
          {t(showsRare ? "editor.less" : "editor.more")}
        </Button>
      )}
      {places.length > 0 && (
        <section className={css.ways}>
          <h3>{t("editor.exits")}</h3>
          {places.map((exit) => (
            <Target
              key={exit.at}
              exit={exit}
              label={t(`exit.${exit.name}` as "exit.next", { mark: exit.mark ?? "" })}
              document={document}
              names={names}
              fault={ours.find((one) => one.field === exit.at)?.sentence}
              isFixed={isFixed}
              lead={(to) => change(connect(document, id, exit.at, to))}
            />
          ))}
        </section>
      )}
      {!isFixed && (
        <footer>
          {document.entry !== id && (
            <Button variant="default" size="xs" onClick={() => change({ ...document, entry: id })}>
              {t("editor.beginHere")}
            </Button>
          )}
          <Button
            variant="subtle"
            color="red"
            size="xs"
            leftSection={<IconTrash size={15} aria-hidden="true" />}
            onClick={() => {
              close();
              change(remove(document, [id]));
            }}
          >
            {t("editor.remove")}
          </Button>
        </footer>
      )}
    </aside>
  );
}

type TargetProps = {
  exit: Exit;
  label: string;
  document: Document;
  names: Names;
  fault: string | undefined;
  isFixed: boolean;
  lead: (to: string) => void;
};

/** Where a way out leads: chosen by the keyboard as it is drawn by the mouse. */
export function Target({ exit, label, document, names, fault, isFixed, lead }: TargetProps) {
  const { t } = useTranslation("ura");
  return (
    <NativeSelect
      label={label}
      value={document.nodes[exit.to] === undefined ? "" : exit.to}
      error={fault}
      disabled={isFixed}
      onChange={(event) => lead(event.currentTarget.value)}
    >
      <option value="">{t(exit.isOptional ? "editor.usual" : "editor.nowhere")}</option>
      {Object.keys(document.nodes).map((id) => (
        <option key={id} value={id}>
          {names.told(id)}
        </option>
      ))}
    </NativeSelect>
  );
}

/** The flow itself: where it begins, where it goes when something fails, how it speaks. */
export function FlowPanel({ document, names, findings, change, isFixed }: PanelProps) {
  const { t } = useTranslation("ura");
  const ids = Object.keys(document.nodes);
  const ofFlow = findings.filter((one) => one.node == null);
  const language = document.language ?? "pt-BR";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <aside className={css.panel} aria-label={t("editor.flow")} tabIndex={0}>
      <header>
        <div>
          <h2>{t("editor.flow")}</h2>
          <p>{t("editor.flowText")}</p>
        </div>
      </header>
      {ofFlow.map((one) => (
        <p key={`${one.code}${one.field}`} className={css.finding} data-is={one.severity}>
          {one.sentence}
        </p>
      ))}
      <NativeSelect
        label={t("editor.entry")}
        value={document.entry}
        disabled={isFixed}
        onChange={(event) => change({ ...document, entry: event.currentTarget.value })}
      >
        {document.nodes[document.entry] === undefined && (
          <option value={document.entry}>{t("editor.nowhere")}</option>
        )}
        {ids.map((id) => (
          <option key={id} value={id}>
            {names.told(id)}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect
        label={t("editor.failure")}
        description={t("editor.failureText")}
        value={document.failure ?? ""}
        disabled={isFixed}
        onChange={({ currentTarget: { value } }) =>
          change({ ...document, failure: value === "" ? null : value })
        }
      >
        <option value="">{t("editor.noFailure")}</option>
        {ids.map((id) => (
          <option key={id} value={id}>
            {names.told(id)}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect
        label={t("form.language")}
        value={language}
        disabled={isFixed}
        onChange={(event) =>
          change({
            ...document,
            language: event.currentTarget.value as NonNullable<Document["language"]>,
          })
        }
      >
        {(["pt-BR", "en", "es"] as const).map((one) => (
          <option key={one} value={one}>
            {t(`language.${one}`)}
          </option>
        ))}
      </NativeSelect>
      <Voice
        label={t("form.voice")}
        value={document.voice}
        language={language}
        isFixed={isFixed}
        change={(voice) => change({ ...document, voice: voice === "" ? null : voice })}
      />
    </aside>
  );
}
