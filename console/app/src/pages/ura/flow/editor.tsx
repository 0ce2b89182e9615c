import { ActionIcon, Button, Skeleton, Tooltip } from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconInfoCircle,
  IconLayoutDistributeHorizontal,
  IconPlayerPlay,
} from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { questions } from "../../../api/asking";
import { api, asked } from "../../../api/client";
import { may } from "../../../api/may";
import { session } from "../../../api/questions";
import type { Document, Finding, Kind } from "../document";
import { Head, useKept } from "../head";
import { type Keeper, keeper } from "../keeper";
import { draft, findings as ofFindings, flow as ofFlow, savedOver, simple } from "../questions";
import "../styles";
import { Canvas, DRAGGED } from "./canvas";
import css from "./editor.module.css";
import { add, fresh, freshId, move, type Place } from "./graph";
import { back, begin, forth, went } from "./history";
import { ICONS, PALETTE } from "./kinds";
import { arrange, overlaps, placesOf, WIDTH } from "./layout";
import { useNames } from "./names";
import { FlowPanel, StepPanel } from "./panel";
import { Try } from "./try";

/** A URA as a flow. */
export function FlowPage() {
  const { flow: id = "" } = useParams({ strict: false });
  const { data: me } = useQuery(session);
  const { data: form } = useQuery(simple(id));
  // What was read before the page was opened is not what one begins with.
  const { data: found, isFetchedAfterMount } = useQuery({ ...draft(id), staleTime: 0 });
  if (!isFetchedAfterMount || found === undefined || form === undefined) {
    return <Skeleton height="100%" radius={0} />;
  }
  return (
    <ReactFlowProvider key={id}>
      <Editor
        id={id}
        revision={found.revision}
        first={found.flow}
        wasSimple={form !== null}
        mayWrite={may(me, "flows", "change")}
      />
    </ReactFlowProvider>
  );
}

type Given = {
  id: string;
  revision: number;
  first: Document;
  wasSimple: boolean;
  mayWrite: boolean;
};

/** The document as it is drawn, kept from now on. */
function useDocument({ id, revision, first }: Given): Keeper<Document> {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was read first is what is written on.
  const kept = useMemo(
    () =>
      keeper(revision, first, async (revision, flow) => {
        const params = { path: { id } };
        const body = { revision, flow: flow as unknown as Record<string, never> };
        const next = await savedOver(asked(api.PUT("/api/v1/flows/{id}/draft", { params, body })));
        if (next === "conflict") return next;
        void questions.invalidateQueries({ queryKey: simple(id).queryKey });
        // Whether it differs from what is published is seen without asking for it again.
        questions.setQueryData(draft(id).queryKey, { revision: next, flow });
        return next;
      }),
    [id],
  );
  useEffect(
    () => () => {
      void kept.flush().then(() => questions.invalidateQueries({ queryKey: ["flows", id] }));
    },
    [kept, id],
  );
  return kept;
}

function Editor(given: Given) {
  const { id, mayWrite } = given;
  const [wasSimple] = useState(given.wasSimple);
  const { t } = useTranslation("ura");
  const kept = useDocument(given);
  const { revision, is } = useKept(kept);
  const [isTrying, setIsTrying] = useState(false);
  const [path, setPath] = useState(NO_PATH);
  const [history, setHistory] = useState(() => {
    const { first } = given;
    // Where the form puts its steps there is no room for their exits.
    return begin(overlaps(first) ? move(first, arrange(first)) : first);
  });
  const [selected, select] = useState<string>();
  const { data: flow } = useQuery(ofFlow(id));
  const { data: form } = useQuery(simple(id));
  const { data: found } = useQuery({
    ...ofFindings(id, revision),
    placeholderData: keepPreviousData,
  });
  const { fitView, screenToFlowPosition } = useReactFlow();
  const document = history.now;
  const names = useNames(document);
  const findings = found?.findings ?? NONE;
  const isFixed = !mayWrite;

  const become = (next: typeof history) => {
    if (next === history) return;
    setHistory(next);
    kept.change(next.now);
  };
  const change = (next: Document, what?: string) => {
    if (!isFixed && next !== document) become(went(history, next, Date.now(), what));
  };
  const put = (kind: Kind, place: Place) => {
    const made = freshId(document, kind);
    const at = { x: Math.round(place.x), y: Math.round(place.y) };
    const placed = move(document, placesOf(document));
    change(add(placed, made, fresh(kind), at));
    select(made);
  };
  /** Beside what is chosen, else in the middle of what is seen. */
  const append = (kind: Kind) => {
    const beside = selected === undefined ? undefined : placesOf(document)[selected];
    const area = globalThis.document.querySelector(`.${css.canvas}`)?.getBoundingClientRect();
    const middle = screenToFlowPosition({
      x: (area?.left ?? 0) + (area?.width ?? 0) / 2 - WIDTH / 2,
      y: (area?.top ?? 0) + (area?.height ?? 0) / 2,
    });
    put(kind, beside === undefined ? middle : { x: beside.x + WIDTH + 60, y: beside.y + 20 });
  };
  const order = () => {
    change(move(document, arrange(document)));
    setTimeout(() => void fitView({ padding: 0.12, maxZoom: 1 }), 50);
  };
  useKeys({ undo: () => become(back(history)), redo: () => become(forth(history)) });

  const node = selected === undefined ? undefined : document.nodes[selected];
  const panel = { document, names, findings, change, isFixed };
  if (flow === undefined) return <Skeleton height="100%" radius={0} />;
  return (
    <div className={css.page}>
      <Head flow={flow} kept={mayWrite ? kept : undefined} mayWrite={mayWrite} isWide>
        <Button
          variant="default"
          aria-pressed={isTrying}
          leftSection={<IconPlayerPlay size={16} aria-hidden="true" />}
          onClick={() => setIsTrying(!isTrying)}
        >
          {t("try.open")}
        </Button>
      </Head>
      {wasSimple && form === null && (
        <p className={css.notice} role="status">
          <IconInfoCircle size={17} aria-hidden="true" />
          {t("editor.leavesForm")}
        </p>
      )}
      <div className={css.body}>
        {!isFixed && <Palette append={append} />}
        <div className={css.middle}>
          {!isFixed && (
            <div className={css.tools} role="toolbar" aria-label={t("editor.tools")}>
              <Tool
                label={t("editor.undo")}
                isOff={history.past.length === 0}
                does={() => become(back(history))}
              >
                <IconArrowBackUp size={18} aria-hidden="true" />
              </Tool>
              <Tool
                label={t("editor.redo")}
                isOff={history.future.length === 0}
                does={() => become(forth(history))}
              >
                <IconArrowForwardUp size={18} aria-hidden="true" />
              </Tool>
              <Tool label={t("editor.arrange")} isOff={false} does={order}>
                <IconLayoutDistributeHorizontal size={18} aria-hidden="true" />
              </Tool>
            </div>
          )}
          <Canvas
            document={document}
            names={names}
            findings={findings}
            selected={selected}
            select={select}
            change={change}
            add={put}
            path={path}
            isFixed={isFixed}
          />
        </div>
        {isTrying ? (
          <Try
            id={id}
            document={document}
            revision={revision}
            isSaved={is === "saved"}
            show={setPath}
            mayHear={mayWrite}
            close={() => setIsTrying(false)}
          />
        ) : selected !== undefined && node !== undefined ? (
          <StepPanel
            key={selected}
            id={selected}
            node={node}
            close={() => select(undefined)}
            {...panel}
          />
        ) : (
          <FlowPanel {...panel} />
        )}
      </div>
    </div>
  );
}

const NO_PATH: readonly string[] = [];

const NONE: readonly Finding[] = [];

type ToolProps = { label: string; isOff: boolean; does: () => void; children: ReactNode };

function Tool({ label, isOff, does, children }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={36} aria-label={label} disabled={isOff} onClick={does}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

/** The kinds of steps: dragged into the drawing, or put there by a click. */
function Palette({ append }: { append: (kind: Kind) => void }) {
  const { t } = useTranslation("ura");
  return (
    <nav className={css.palette} aria-label={t("editor.palette")}>
      <h2>{t("editor.palette")}</h2>
      {PALETTE.map((kind) => {
        const Icon = ICONS[kind];
        return (
          <Tooltip key={kind} label={t(`kind.${kind}.text`)} position="right">
            <Button
              variant="subtle"
              color="gray"
              justify="flex-start"
              className={css.kind ?? ""}
              draggable
              leftSection={<Icon size={18} stroke={1.7} aria-hidden="true" />}
              onDragStart={(event) => event.dataTransfer.setData(DRAGGED, kind)}
              onClick={() => append(kind)}
            >
              {t(`kind.${kind}.name`)}
            </Button>
          </Tooltip>
        );
      })}
    </nav>
  );
}

/** Undo and redo, where nobody writes: a field undoes by itself what was written in it. */
function useKeys(keys: { undo: () => void; redo: () => void }) {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const { target } = event;
      if (target instanceof HTMLElement && target.matches("input, textarea, select")) return;
      const key = event.key.toLowerCase();
      const isRedo = key === "y" || (key === "z" && event.shiftKey);
      if (!isRedo && key !== "z") return;
      event.preventDefault();
      if (isRedo) current.current.redo();
      else current.current.undo();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}
