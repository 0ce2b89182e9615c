// What is known of the company as it is now, from what the program tells. No browser in here: what was
// heard goes in, what is so comes out.

import type { Agent, LiveMessage, Schemas } from "../api/client";

type Offer = Schemas["Offer"];
type Queue = Schemas["Queue"];
type InLine = Schemas["InLine"];
type Call = Schemas["Call"];

export type LiveState = {
  /** The count of the last thing heard; null before the first. */
  readonly seq: number | null;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly queues: Readonly<Record<string, Queue>>;
  /** Who waits, by the work. */
  readonly waiting: Readonly<Record<string, InLine>>;
  /** What stands, by the number of the offer. */
  readonly offers: Readonly<Record<number, Offer>>;
  /** Calls that are up, by the interaction. */
  readonly calls: Readonly<Record<string, Call>>;
  /** Until when a customer is believed to type, by the interaction. */
  readonly typing: Readonly<Record<string, number>>;
  /** Colleagues who are in what one has in hand, by the interaction. */
  readonly beside: Readonly<Record<string, readonly Beside[]>>;
};

/** A colleague who reads or writes in something, and until when that is to be believed. */
export type Beside = {
  readonly by: string;
  readonly name: string;
  readonly isTyping: boolean;
  readonly until: number;
};

export const NOTHING: LiveState = {
  seq: null,
  agents: {},
  queues: {},
  waiting: {},
  offers: {},
  calls: {},
  typing: {},
  beside: {},
};

/** For how long the program says that somebody is to be believed to type or to be there, in milliseconds. */
const TYPING_MS = 6_000;

/** How it is after `told`. What was heard before changes nothing. */
export function hear(state: LiveState, told: LiveMessage, nowMs: number): LiveState {
  if (told.kind === "snapshot") {
    return {
      seq: told.seq,
      agents: by(told.agents, (agent) => agent.id),
      queues: by(told.queues, (queue) => queue.service),
      waiting: by(told.waiting, (line) => line.work),
      offers: by(told.offers, (offer) => offer.offer),
      calls: by(told.calls, (call) => call.interaction),
      typing: state.typing,
      beside: state.beside,
    };
  }
  if (state.seq !== null && told.seq <= state.seq && told.kind !== "alive") return state;
  const next = { ...state, seq: told.seq };
  switch (told.kind) {
    case "alive":
      return next;
    case "agent":
      return { ...next, agents: { ...state.agents, [told.agent.id]: told.agent } };
    case "queue":
      return { ...next, queues: { ...state.queues, [told.queue.service]: told.queue } };
    case "waiting":
      return { ...next, waiting: { ...state.waiting, [told.waiting.work]: told.waiting } };
    case "left": {
      // Who moved waits elsewhere, which may have been told already.
      const isHere = state.waiting[told.work]?.service === told.service;
      return isHere ? { ...next, waiting: without(state.waiting, told.work) } : next;
    }
    case "call":
      return { ...next, calls: { ...state.calls, [told.call.interaction]: told.call } };
    case "call_ended":
      return { ...next, calls: without(state.calls, told.interaction) };
    case "message":
      // Who has sent it does not type it any more.
      return { ...next, typing: without(state.typing, told.interaction) };
    case "note":
      return next;
    case "typing":
      return {
        ...next,
        typing: told.on
          ? { ...state.typing, [told.interaction]: nowMs + TYPING_MS }
          : without(state.typing, told.interaction),
      };
    case "beside": {
      const { interaction, by, name, doing } = told;
      const others = (state.beside[interaction] ?? []).filter((one) => one.by !== by);
      const one = { by, name, isTyping: doing === "typing", until: nowMs + TYPING_MS };
      const all = doing === "gone" ? others : [...others, one];
      return { ...next, beside: { ...state.beside, [interaction]: all } };
    }
    case "offer":
      return { ...next, offers: { ...state.offers, [told.offer.offer]: told.offer } };
    case "offer_ended":
      return { ...next, offers: without(state.offers, told.offer) };
    case "desk":
      return next;
  }
}

/** What of the answers that were got before is old once `told` was heard, as keys of questions. */
export function outdated(told: LiveMessage, me: string): readonly (readonly string[])[] {
  switch (told.kind) {
    case "snapshot":
      // Anything may have happened in between.
      return [["work"], ["messages"], ["composer"], ["history"]];
    case "message":
      return [
        ["messages", told.interaction],
        ["composer", told.interaction],
      ];
    case "note":
      return [["notes", told.interaction]];
    case "agent":
      return told.agent.id === me ? [["work"]] : [];
    case "offer":
      return told.offer.agent === me ? [["work"]] : [];
    case "offer_ended":
      return told.agent === me ? [["work"]] : [];
    case "desk":
      return told.agent === me || told.agent == null ? [["work"]] : [];
    case "left":
      return told.agent === me ? [["work"]] : [];
    case "alive":
    case "queue":
    case "waiting":
    case "call":
    case "call_ended":
    case "typing":
    case "beside":
      return [];
  }
}

function by<T, K extends string | number>(
  all: readonly T[],
  key: (one: T) => K,
): Readonly<Record<K, T>> {
  return Object.fromEntries(all.map((one) => [key(one), one])) as Record<K, T>;
}

function without<T>(all: Readonly<Record<string | number, T>>, key: string | number) {
  const { [key]: _, ...rest } = all;
  return rest;
}
