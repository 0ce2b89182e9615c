// What a row of the list says of an interaction. No browser in here.

import type { Schemas } from "../../api/client";

export type Interaction = Schemas["Interaction"];

/** What became of it, or what it is doing. */
export type Outcome =
  | "ringing"
  | "flow"
  | "waiting"
  | "talking"
  | "answered"
  | "abandoned"
  | "unanswered"
  | "self"
  | "failed";

type Ending = Pick<
  Interaction,
  "state" | "agent" | "queued_ms" | "ended_by" | "answered_ms" | "direction"
>;

export function outcome(row: Ending): Outcome {
  switch (row.state) {
    case "ringing":
    case "flow":
    case "waiting":
    case "talking":
      return row.state;
    default:
      break;
  }
  if (row.agent != null) return "answered";
  if (row.queued_ms != null) return row.ended_by === "customer" ? "abandoned" : "unanswered";
  if (row.answered_ms == null) return row.direction === "inbound" ? "failed" : "unanswered";
  return row.direction === "inbound" ? "self" : "answered";
}

/** Whether that is good news, for its colour; the word says it too. */
export function tone(outcome: Outcome): "good" | "warn" | "bad" | "live" | "none" {
  switch (outcome) {
    case "answered":
      return "good";
    case "abandoned":
    case "failed":
      return "bad";
    case "unanswered":
    case "waiting":
      return "warn";
    case "ringing":
    case "flow":
    case "talking":
      return "live";
    case "self":
      return "none";
  }
}

/** A length of time with its minutes: `0:07`, `12:30`, `1:02:05`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
