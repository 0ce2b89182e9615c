import { IconAlertTriangle, IconFlag, IconLifebuoy } from "@tabler/icons-react";
import { type Node as Drawn, Handle, type NodeProps, Position } from "@xyflow/react";
import { useTranslation } from "react-i18next";
import type { Finding, Node } from "../document";
import css from "./editor.module.css";
import { type Exit, exits } from "./graph";
import { ICONS } from "./kinds";

export type StepData = {
  readonly node: Node;
  readonly title: string;
  readonly does: string;
  readonly findings: readonly Finding[];
  readonly isEntry: boolean;
  readonly isFailure: boolean;
  /** Whether the last trial came here, or stands here. */
  readonly passed: "no" | "yes" | "here";
};

export type Step = Drawn<StepData & Record<string, unknown>, "step">;

/** A step: what it is, what it does, and its ways out. */
export function StepBox({ data, selected }: NodeProps<Step>) {
  const { t } = useTranslation("ura");
  const { node, title, does, findings, isEntry, isFailure, passed } = data;
  const Icon = ICONS[node.kind];
  const worst = findings.some((one) => one.severity === "error") ? "error" : "warning";
  return (
    <div className={css.step} data-kind={node.kind} data-selected={selected} data-passed={passed}>
      <Handle type="target" position={Position.Left} className={css.into ?? ""} />
      <div className={css.stepHead}>
        <span className={css.sign}>
          <Icon size={17} stroke={1.7} aria-hidden="true" />
        </span>
        <strong>{title}</strong>
        {isEntry && <IconFlag size={15} className={css.entry} aria-label={t("editor.entry")} />}
        {isFailure && (
          <IconLifebuoy size={15} className={css.entry} aria-label={t("editor.failure")} />
        )}
        {findings.length > 0 && (
          <span className={css.badge} data-is={worst} title={findings[0]?.sentence}>
            <IconAlertTriangle size={13} aria-hidden="true" />
            {findings.length}
          </span>
        )}
      </div>
      <p className={css.does}>{does === "" ? t(`kind.${node.kind}.text`) : does}</p>
      {exits(node).map((exit) => (
        <Way
          key={exit.at}
          exit={exit}
          fault={findings.some((one) => one.field === exit.at && one.severity === "error")}
        />
      ))}
    </div>
  );
}

function Way({ exit, fault }: { exit: Exit; fault: boolean }) {
  const { t } = useTranslation("ura");
  return (
    <div className={css.exit} data-fault={fault} data-open={exit.to === ""}>
      {t(`exit.${exit.name}` as "exit.next", { mark: exit.mark ?? "" })}
      <Handle type="source" id={exit.at} position={Position.Right} className={css.out ?? ""} />
    </div>
  );
}
