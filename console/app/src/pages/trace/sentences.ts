// The sentence of each step of a trail: which of the words, and what fills its blanks. No browser in here.

import { type Fields, text } from "../../api/open";
import type { SupervisionWords } from "../../words/supervision/pt-BR";
import type { Step } from "./trail";

/** A sentence that counts is there for one and for others. */
type Base<Key> = Key extends `${infer One}_one` | `${infer One}_other` ? One : Key;

type Said = Base<keyof SupervisionWords["step"]>;

export type Sentence = {
  readonly said: Said;
  readonly blanks: Readonly<Record<string, string | number>>;
  /** What else is known of it, in small. */
  readonly more: string;
};

/** What ids are called. */
type Names = {
  readonly service: (id: string) => string;
  readonly person: (id: string) => string;
};

export function sentence(step: Step, names: Names): Sentence {
  const { detail } = step;
  const person = (key: string) => names.person(text(detail[key]));
  const agent = text(detail.name) || person("agent");
  const by = person("by");
  switch (step.kind) {
    case "arrived":
      return arrived(detail, person("agent"));
    case "answered":
      return is("answered", {}, media(detail));
    case "refused":
      return is("refused", {}, [detail.status, detail.cause]);
    case "flow_entered":
      return detail.bot === undefined
        ? is("flow_entered")
        : is("bot_entered", {}, [detail.failed ?? ""]);
    case "node_entered":
      return is("node_entered", { node: text(detail.node) });
    case "hours_checked":
      return detail.open === true ? is("open") : is("closed", {}, [detail.holiday]);
    case "prompt_ended":
      return detail.interrupted === true
        ? is("cut_short", { node: text(detail.node) })
        : is("heard", { node: text(detail.node) });
    case "key_pressed":
      return is("key_pressed", { key: text(detail.key) });
    case "option_chosen":
      return is("option_chosen", { key: text(detail.key), node: text(detail.node) });
    case "digits_entered":
      return is("digits_entered", { digits: text(detail.digits) });
    case "invalid_input":
      return detail.digits === undefined
        ? is("gave_up")
        : is("invalid_input", { digits: text(detail.digits) });
    case "variable_set":
      return is("variable_set", { name: text(detail.variable) });
    case "fetched":
      return detail.succeeded === true
        ? is("fetched", { ms: whole(detail.took_ms) }, [detail.status])
        : is("not_fetched", { ms: whole(detail.took_ms) }, [detail.status, detail.failure]);
    case "queued":
      return queued(detail, names);
    case "queue_ended":
      return detail.result === "answered" ? is("queue_answered") : is("queue_ended");
    case "offered":
      return is("offered", { name: agent });
    case "offer_ended":
      return offerEnded(detail, agent);
    case "agent_answered":
      return is("agent_answered", { name: agent });
    case "dialled":
      return is("dialled", { to: text(detail.to) });
    case "dial_ended":
      return is("dial_ended", {}, [detail.result, detail.sip_status]);
    case "message_left":
      return is("message_left", { seconds: whole(detail.seconds) });
    case "held":
      return is("held", { name: by });
    case "resumed":
      return is("resumed", { name: by });
    case "media_changed":
      return is("media_changed", {}, media(detail));
    case "transferred":
      return transferred(detail, names);
    case "consulted":
      return is("consulted", { name: by, to: toward(detail, names) });
    case "joined":
      return is("joined", { name: by });
    case "supervised":
      return supervised(detail, by);
    case "recording":
      return recording(detail);
    case "noted":
      return is("noted", { name: by }, [detail.text]);
    case "moved":
      return is("moved", { from: text(detail.from_name), to: text(detail.to_name) });
    case "target_missed":
      return is("target_missed", { name: text(detail.service_name) });
    case "wrap_up_began":
      return is("wrap_up_began", { name: agent });
    case "finished":
      return detail.disposition === undefined
        ? is("finished", { name: agent })
        : is("disposed", { name: agent, tag: text(detail.disposition_name) }, [detail.note]);
    case "called_back":
    case "callback_promised":
      return is(step.kind, { number: text(detail.number) });
    case "recorded":
      return is("recorded", { seconds: whole(detail.seconds) });
    case "recording_heard":
      return is("recording_heard", { name: by || text(detail.by) });
    case "recording_deleted":
      return is("recording_deleted", { name: by || text(detail.by) });
    case "message_received":
    case "message_sent":
    case "messages":
      return is(step.kind, { count: step.count });
    case "ended":
      return ended(detail);
    case "flow_left":
    case "prompt_started":
    case "no_input":
    case "condition_checked":
    case "announced":
    case "dialled_left":
    case "callback_resting":
    case "survey_answered":
    case "skills_relaxed":
    case "reopened":
    case "failed":
      return is(step.kind, {}, [detail.why]);
    default:
      return is("other", { kind: step.kind.replaceAll("_", " ") });
  }
}

function is(said: Said, blanks: Sentence["blanks"] = {}, more: readonly unknown[] = []): Sentence {
  const known = more.filter((one) => typeof one === "string" || typeof one === "number");
  return { said, blanks, more: known.filter((one) => one !== "").join(" · ") };
}

const whole = (value: unknown) => Math.round(Number(value ?? 0));

function media(detail: Fields): readonly unknown[] {
  return [detail.codec, detail.encrypted === true ? "SRTP" : ""];
}

function arrived(detail: Fields, agent: string): Sentence {
  if (detail.by === "click") return is("placed", { name: agent });
  if (detail.channel !== undefined) return is("opened", { channel: text(detail.channel_name) });
  return is("arrived", {}, [detail.transport, detail.user_agent]);
}

function queued(detail: Fields, names: Names): Sentence {
  const service = text(detail.name) || names.service(text(detail.service));
  if (detail.returned !== undefined || detail.why !== undefined) {
    return is("returned", { name: service }, [detail.why]);
  }
  return is("queued", { name: service });
}

function offerEnded(detail: Fields, name: string): Sentence {
  const end = text(detail.end);
  switch (end) {
    case "accepted":
    case "refused":
    case "lapsed":
    case "unreachable":
    case "busy":
      return is(`offer_${end}`, { name });
    default:
      return is("offer_ended", { name }, [end]);
  }
}

function toward(detail: Fields, names: Names): string {
  return (
    names.person(text(detail.to) || text(detail.agent)) ||
    names.service(text(detail.service)) ||
    text(detail.dialled)
  );
}

function transferred(detail: Fields, names: Names): Sentence {
  const to = toward(detail, names);
  const name = names.person(text(detail.from)) || names.person(text(detail.agent));
  return to === "" || to === name ? is("handed_on", { name }) : is("transferred", { name, to });
}

function supervised(detail: Fields, name: string): Sentence {
  const how = text(detail.how);
  switch (how) {
    case "listen":
    case "whisper":
    case "barge":
    case "take_over":
      return is(`supervised_${how}`, { name });
    default:
      return is("supervised", { name }, [how]);
  }
}

function recording(detail: Fields): Sentence {
  const what = text(detail.what);
  switch (what) {
    case "start":
    case "pause":
    case "resume":
    case "stop":
      return is(`recording_${what}`);
    default:
      return is("recording", {}, [what]);
  }
}

function ended(detail: Fields): Sentence {
  const by = text(detail.by);
  const more = [detail.node, detail.cause];
  switch (by) {
    case "customer":
    case "agent":
    case "ramal":
    case "network":
    case "restart":
      return is(`ended_${by}`, {}, more);
    default:
      return is("ended", {}, more);
  }
}
