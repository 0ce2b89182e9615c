import { ActionIcon, Button, TextInput } from "@mantine/core";
import {
  IconArrowDown,
  IconArrowUp,
  IconForms,
  IconPlus,
  IconSubtask,
  IconTrash,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Leaf } from "./leaf";
import css from "./services.module.css";
import { add, asksNothing, DEPTH_MAX, move, type Node, type Path, put, tree } from "./tree";

type Props = {
  tree: readonly unknown[];
  change: (tree: Record<string, never>[]) => void;
  wrong: string | undefined;
};

const made = () => crypto.randomUUID().slice(0, 8);

/** The codes with which work is closed: headings, and what can be chosen below them. */
export function Dispositions({ tree: value, change, wrong }: Props) {
  const { t } = useTranslation("settings");
  const nodes = tree(value);
  const set = (next: readonly Node[]) => change(next as unknown as Record<string, never>[]);
  return (
    <fieldset className={css.tree}>
      <legend>{t("dispositions.title")}</legend>
      {nodes.length === 0 && <p className={css.soft}>{t("dispositions.none")}</p>}
      <Level nodes={nodes} all={nodes} above={[]} set={set} isWrong={wrong !== undefined} />
      {wrong !== undefined && <p className={css.bad}>{wrong}</p>}
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<IconPlus size={15} />}
        onClick={() => set(add(nodes, [], made()))}
      >
        {t("dispositions.add")}
      </Button>
    </fieldset>
  );
}

type LevelProps = {
  nodes: readonly Node[];
  all: readonly Node[];
  above: Path;
  set: (all: readonly Node[]) => void;
  /** Whether it was refused as it is. */
  isWrong: boolean;
};

function Level({ nodes, above, ...rest }: LevelProps) {
  if (nodes.length === 0) return null;
  return (
    <ul className={css.level}>
      {nodes.map((node, place) => (
        <li key={node.id}>
          <One {...rest} node={node} path={[...above, place]} last={nodes.length - 1} />
        </li>
      ))}
    </ul>
  );
}

function One({
  node,
  all,
  path,
  last,
  set,
  isWrong,
}: Omit<LevelProps, "nodes" | "above"> & { node: Node; path: Path; last: number }) {
  const { t } = useTranslation("settings");
  const [isOpen, setIsOpen] = useState(false);
  const place = path.at(-1) ?? 0;
  const isLeaf = node.children.length === 0;
  const change = (changes: Partial<Node>) => set(put(all, path, (old) => ({ ...old, ...changes })));
  const more = node.fields.length + node.actions.length;
  const name = node.name || t("dispositions.unnamed");
  const isAsked = isLeaf && (isOpen || (isWrong && asksNothing(node)));
  return (
    <>
      <div className={css.node}>
        <TextInput
          aria-label={t("dispositions.name")}
          placeholder={t("dispositions.name")}
          value={node.name}
          error={isWrong && node.name.trim() === ""}
          autoFocus={node.name === ""}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        {isLeaf && (
          <Do
            label={t("dispositions.more", { name })}
            isOn={isOpen || more > 0}
            isOpen={isAsked}
            onClick={() => setIsOpen(!isOpen)}
          >
            <IconForms size={17} />
          </Do>
        )}
        {path.length < DEPTH_MAX && (
          <Do label={t("dispositions.below", { name })} onClick={() => set(add(all, path, made()))}>
            <IconSubtask size={17} />
          </Do>
        )}
        <Do
          label={t("dispositions.up", { name })}
          disabled={place === 0}
          onClick={() => set(move(all, path, -1))}
        >
          <IconArrowUp size={16} />
        </Do>
        <Do
          label={t("dispositions.down", { name })}
          disabled={place === last}
          onClick={() => set(move(all, path, 1))}
        >
          <IconArrowDown size={16} />
        </Do>
        <Do
          label={t("dispositions.remove", { name })}
          onClick={() => set(put(all, path, () => undefined))}
        >
          <IconTrash size={16} />
        </Do>
      </div>
      {isAsked && <Leaf node={node} change={change} isWrong={isWrong} />}
      <Level nodes={node.children} all={all} above={path} set={set} isWrong={isWrong} />
    </>
  );
}

function Do({
  label,
  isOn = false,
  isOpen,
  disabled = false,
  onClick,
  children,
}: {
  label: string;
  isOn?: boolean;
  isOpen?: boolean;
  disabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <ActionIcon
      variant="subtle"
      color={isOn ? "teal" : "gray"}
      size="lg"
      title={label}
      aria-label={label}
      aria-expanded={isOpen}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </ActionIcon>
  );
}
