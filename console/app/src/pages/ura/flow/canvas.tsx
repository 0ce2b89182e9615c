import "@xyflow/react/dist/base.css";
import {
  Background,
  type Connection,
  Controls,
  type Edge,
  MarkerType,
  type NodeChange,
  ReactFlow,
  useNodesState,
  useReactFlow,
} from "@xyflow/react";
import { type DragEvent, useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Document, Finding, Kind } from "../document";
import css from "./editor.module.css";
import { connect, exits, move, type Place, remove } from "./graph";
import { placesOf } from "./layout";
import type { Names } from "./names";
import { type Step, StepBox } from "./step";

/** What a kind is dragged as. */
export const DRAGGED = "application/x-step";

const TYPES = { step: StepBox };

type Props = {
  document: Document;
  names: Names;
  findings: readonly Finding[];
  selected: string | undefined;
  select: (id: string | undefined) => void;
  change: (next: Document, what?: string) => void;
  add: (kind: Kind, place: Place) => void;
  /** The steps and the ways between them that the last trial went, the last one last. */
  path: readonly string[];
  isFixed: boolean;
};

/** The document, drawn: steps are dragged, joined and removed. */
export function Canvas(props: Props) {
  const { document, names, findings, selected, select, change, add, path, isFixed } = props;
  const { t } = useTranslation("ura");
  const { screenToFlowPosition } = useReactFlow();
  const [nodes, setNodes, onNodesChange] = useNodesState<Step>([]);
  const places = useMemo(() => placesOf(document), [document]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: names change with what they are made of, which is asked once.
  useEffect(() => {
    setNodes((before) => {
      const known = new Map(before.map((one) => [one.id, one]));
      return Object.entries(document.nodes).map(([id, node]): Step => {
        const was = known.get(id);
        return {
          ...(was?.measured === undefined ? {} : { measured: was.measured }),
          id,
          type: "step",
          position: places[id] ?? { x: 0, y: 0 },
          selected: was?.selected ?? id === selected,
          ariaLabel: `${names.title(id)}: ${names.does(node)}`,
          data: {
            node,
            title: names.title(id),
            does: names.does(node),
            findings: findings.filter((one) => one.node === id),
            isEntry: document.entry === id,
            isFailure: document.failure === id,
            passed: path.at(-1) === id ? "here" : path.includes(id) ? "yes" : "no",
          },
        };
      });
    });
  }, [document, places, findings, path, setNodes]);

  // What is chosen elsewhere is chosen here.
  useEffect(() => {
    setNodes((before) =>
      before.map((one) =>
        (one.selected ?? false) === (one.id === selected)
          ? one
          : { ...one, selected: one.id === selected },
      ),
    );
  }, [selected, setNodes]);

  const edges = useMemo(() => edgesOf(document, path), [document, path]);

  const changed = (changes: NodeChange<Step>[]) => {
    onNodesChange(changes);
    if (changes.some((one) => one.type === "select")) {
      const chosen = new Set(nodes.filter((one) => one.selected).map((one) => one.id));
      for (const one of changes) {
        if (one.type !== "select") continue;
        if (one.selected) chosen.add(one.id);
        else chosen.delete(one.id);
      }
      // Of several none is shown beside the drawing, and all stay chosen.
      if (chosen.size < 2) select([...chosen][0]);
    }
    const put: Record<string, Place> = {};
    for (const one of changes) {
      if (one.type === "position" && one.dragging !== true && one.position !== undefined) {
        const was = places[one.id];
        const { x, y } = one.position;
        if (was?.x !== x || was?.y !== y) put[one.id] = { x: Math.round(x), y: Math.round(y) };
      }
    }
    if (Object.keys(put).length > 0) change(move({ ...document, layout: filled() }, put), "move");
  };
  /** All places: once one step was put somewhere, the others stay where they are. */
  const filled = () => move(document, places).layout ?? {};

  const drop = (event: DragEvent) => {
    const kind = event.dataTransfer.getData(DRAGGED);
    if (kind === "") return;
    event.preventDefault();
    add(kind as Kind, screenToFlowPosition({ x: event.clientX, y: event.clientY }));
  };
  const joined = ({ source, sourceHandle, target }: Connection) =>
    change(connect(document, source, sourceHandle ?? "", target));

  return (
    <ReactFlow
      className={css.canvas ?? ""}
      nodes={nodes}
      edges={edges}
      nodeTypes={TYPES}
      onNodesChange={changed}
      onConnect={joined}
      onReconnect={(was, next) => {
        const without = connect(document, was.source, was.sourceHandle ?? "", "");
        change(connect(without, next.source, next.sourceHandle ?? "", next.target));
      }}
      onBeforeDelete={async ({ nodes: gone, edges: cut }) => {
        if (isFixed) return false;
        const ids = gone.map(({ id }) => id);
        const left = cut
          .filter(({ source }) => !ids.includes(source))
          .reduce((now, one) => connect(now, one.source, one.sourceHandle ?? "", ""), document);
        change(remove(left, ids));
        return false;
      }}
      onDragOver={(event) => {
        if (!isFixed && event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
      }}
      onDrop={drop}
      nodesDraggable={!isFixed}
      nodesConnectable={!isFixed}
      edgesReconnectable={!isFixed}
      deleteKeyCode={isFixed ? null : ["Delete", "Backspace"]}
      fitView
      fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
      minZoom={0.15}
      maxZoom={1.6}
      proOptions={{ hideAttribution: true }}
      ariaLabelConfig={{
        "node.a11yDescription.default": t("editor.nodeHelp"),
        "node.a11yDescription.keyboardDisabled": t("editor.nodeHelp"),
        "edge.a11yDescription.default": t("editor.edgeHelp"),
        "controls.ariaLabel": t("editor.controls"),
        "controls.zoomIn.ariaLabel": t("editor.zoomIn"),
        "controls.zoomOut.ariaLabel": t("editor.zoomOut"),
        "controls.fitView.ariaLabel": t("editor.fit"),
        "handle.ariaLabel": t("editor.handle"),
      }}
    >
      <Background gap={22} size={1.4} />
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

/** The ways between steps; those that the last trial went are lit. */
function edgesOf(document: Document, path: readonly string[]): Edge[] {
  const gone = new Set(path.slice(1).map((id, place) => `${path[place]}→${id}`));
  return Object.entries(document.nodes).flatMap(([source, node]) =>
    exits(node)
      .filter(({ to }) => document.nodes[to] !== undefined)
      .map(({ at, to }): Edge => {
        const isLit = gone.has(`${source}→${to}`);
        return {
          id: `${source}${at}`,
          source,
          sourceHandle: at,
          target: to,
          className: (isLit ? css.lit : css.edge) ?? "",
          markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
          zIndex: isLit ? 1 : 0,
        };
      }),
  );
}
