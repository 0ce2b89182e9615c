// The trail of an interaction as people read it: phases, and a sentence a step. No browser in here.

import { type Fields, fields, text } from "../../api/open";

/** A line of the trail as the program tells it. */
export type Line = {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: string;
  readonly detail: Fields;
};

/** The lines, in the order in which it happened: what was done with the record stands behind. */
export function lines(trail: readonly unknown[]): readonly Line[] {
  const all = trail.map((one) => {
    const { seq, at_ms, kind, detail } = fields(one);
    return {
      seq: Number(seq),
      at_ms: Number(at_ms),
      kind: text(kind),
      detail: fields(detail),
    };
  });
  return all.sort((a, b) => a.at_ms - b.at_ms || a.seq - b.seq);
}

export type PhaseKind = "ringing" | "flow" | "waiting" | "talking" | "held" | "wrapping";

/** A time in which one thing went on. */
export type Phase = {
  readonly kind: PhaseKind;
  /** Which service, which agent. */
  readonly name: string;
  readonly from: number;
  readonly until: number;
};

/** What a line begins; nothing where things go on as they were. */
function begins({ kind, detail }: Line, before: PhaseKind): [PhaseKind, string] | "end" | null {
  switch (kind) {
    case "arrived":
      return ["ringing", ""];
    case "flow_entered":
    case "hours_checked":
    case "node_entered":
      return before === "ringing" || before === "flow" ? ["flow", ""] : null;
    case "queued":
    case "callback_promised":
      return ["waiting", text(detail.name) || text(detail.service)];
    case "queue_ended":
      return detail.result === "answered" ? null : ["flow", ""];
    case "moved":
      return ["waiting", text(detail.to_name)];
    case "agent_answered":
      return ["talking", text(detail.name)];
    case "held":
      return detail.party === undefined ? ["held", ""] : null;
    case "resumed":
      return detail.party === undefined ? ["talking", ""] : null;
    case "wrap_up_began":
      return ["wrapping", text(detail.name)];
    case "ended":
      return "end";
    case "finished":
      return before === "wrapping" ? "end" : null;
    default:
      return null;
  }
}

/** What is over sooner than this is no phase, in milliseconds. */
const SHORT_MS = 500;

/** The phases one after the other, up to the end or this moment. */
export function phases(
  all: readonly Line[],
  endedMs: number | null,
  nowMs: number,
): readonly Phase[] {
  const made: { kind: PhaseKind; name: string; from: number; until: number }[] = [];
  let open: (typeof made)[number] | null = null;
  const close = (at: number) => {
    if (open === null) return;
    open.until = at;
    if (at - open.from >= SHORT_MS) made.push(open);
    open = null;
  };
  for (const line of all) {
    const before: PhaseKind = open === null ? "ringing" : (open as Phase).kind;
    const begun = begins(line, before);
    if (begun === null) continue;
    if (begun === "end") {
      close(line.at_ms);
      continue;
    }
    const [kind, said] = begun;
    const name = said || (kind === "talking" ? lastName(made, "talking") : "");
    if (open !== null && (open as Phase).kind === kind && (open as Phase).name === name) continue;
    close(line.at_ms);
    open = { kind, name, from: line.at_ms, until: line.at_ms };
  }
  close(endedMs ?? nowMs);
  return made;
}

function lastName(made: readonly Phase[], kind: PhaseKind): string {
  return made.findLast((phase) => phase.kind === kind)?.name ?? "";
}

/** A step as it is read: lines that say one thing together are one. */
export type Step = {
  readonly key: string;
  readonly at: number;
  readonly kind: string;
  readonly detail: Fields;
  /** How many lines it stands for. */
  readonly count: number;
};

const TALK = new Set(["message_received", "message_sent"]);

/** Said by the next line as well, or of no use to who reads. */
function isSilent(line: Line, next: Line | undefined): boolean {
  const isEntered = line.kind === "node_entered";
  return isEntered && next !== undefined && next.detail.node === line.detail.node;
}

export function steps(all: readonly Line[]): readonly Step[] {
  const made: { key: string; at: number; kind: string; detail: Fields; count: number }[] = [];
  for (const [index, line] of all.entries()) {
    if (isSilent(line, all[index + 1])) continue;
    const last = made.at(-1);
    const isMore = TALK.has(line.kind) && last !== undefined && isTalk(last.kind);
    if (isMore) {
      last.count += 1;
      if (last.kind !== line.kind) last.kind = "messages";
      continue;
    }
    const { seq, at_ms, kind, detail } = line;
    made.push({ key: `${seq}`, at: at_ms, kind, detail, count: 1 });
  }
  return made;
}

function isTalk(kind: string): boolean {
  return TALK.has(kind) || kind === "messages";
}

/** How a step looks: what it is about. */
export function look(
  kind: string,
): "start" | "menu" | "queue" | "person" | "record" | "bad" | "end" {
  if (kind === "arrived" || kind === "answered") return "start";
  if (kind === "ended" || kind === "finished") return "end";
  if (["refused", "failed", "target_missed", "invalid_input", "no_input"].includes(kind)) {
    return "bad";
  }
  if (["queued", "queue_ended", "moved", "offered", "offer_ended", "announced"].includes(kind)) {
    return "queue";
  }
  if (["recording", "recorded", "recording_heard", "recording_deleted"].includes(kind)) {
    return "record";
  }
  return MENU.has(kind) ? "menu" : "person";
}

const MENU = new Set([
  "flow_entered",
  "flow_left",
  "node_entered",
  "hours_checked",
  "prompt_started",
  "prompt_ended",
  "key_pressed",
  "digits_entered",
  "option_chosen",
  "variable_set",
  "condition_checked",
  "fetched",
]);

/** The disposition and its note, of the last agent who closed it. */
export function disposition(all: readonly Line[]): { name: string; note: string } | null {
  const last = all.findLast(({ kind }) => kind === "finished");
  const name = text(last?.detail.disposition_name);
  return name === "" ? null : { name, note: text(last?.detail.note) };
}
