// The kinds of steps as people know them: their sign, and the fields from which the panel is made.

import {
  IconArrowBackUp,
  IconArrowsSplit,
  IconCalendarClock,
  IconDialpad,
  IconHeadset,
  IconMicrophone,
  IconPhoneCall,
  IconPhoneOff,
  IconRoute,
  IconTag,
  IconVolume,
  IconWorldSearch,
} from "@tabler/icons-react";
import type { Kind } from "../document";

export const ICONS = {
  hours: IconCalendarClock,
  prompt: IconVolume,
  menu: IconDialpad,
  collect: IconDialpad,
  queue: IconHeadset,
  flow: IconRoute,
  return: IconArrowBackUp,
  dial: IconPhoneCall,
  lookup: IconWorldSearch,
  set: IconTag,
  condition: IconArrowsSplit,
  record: IconMicrophone,
  "hang-up": IconPhoneOff,
} as const;

/** The kinds in the order in which people look for them. */
export const PALETTE: readonly Kind[] = [
  "hours",
  "prompt",
  "menu",
  "queue",
  "record",
  "hang-up",
  "collect",
  "condition",
  "lookup",
  "set",
  "dial",
  "flow",
  "return",
];

/** How a field is changed. */
export type Way =
  | "says"
  | "calendar"
  | "service"
  | "flow"
  | "choices"
  | "cases"
  | "skills"
  | "retry"
  | "destination"
  | "map"
  | "text"
  | "area"
  | "variable"
  | "key"
  | "accept"
  | "confirm"
  | { readonly options: readonly string[] }
  /** A number, shown in seconds where it is kept in milliseconds. */
  | { readonly least: number; readonly most: number; readonly isMs?: boolean }
  | "switch";

export type Field = {
  readonly name: string;
  readonly as: Way;
  /** What holds where nothing is said. */
  readonly usual?: unknown;
  /** Whether it is for those who want more than most. */
  readonly isRare?: boolean;
};

const says: Field = { name: "say", as: "says" };
const bargeIn: Field = { name: "barge_in", as: "switch", usual: true, isRare: true };
const service: Field = { name: "service", as: "service" };
const firstDigit: Field = {
  name: "first_digit_ms",
  as: { least: 0.5, most: 60, isMs: true },
  usual: 5_000,
  isRare: true,
};
const retries: readonly Field[] = [
  { name: "invalid", as: "retry", usual: retry("sentences/invalid-key"), isRare: true },
  { name: "no_input", as: "retry", usual: retry("sentences/no-input"), isRare: true },
];

function retry(sound: string) {
  return { say: [{ kind: "sound", sound }], attempts: 3 };
}

export const FIELDS: Readonly<Record<Kind, readonly Field[]>> = {
  hours: [{ name: "calendar", as: "calendar" }],
  prompt: [says, bargeIn],
  menu: [
    says,
    { name: "choices", as: "choices" },
    { name: "repeat_key", as: "key" },
    firstDigit,
    bargeIn,
    ...retries,
  ],
  collect: [
    says,
    { name: "variable", as: "variable" },
    { name: "min", as: { least: 1, most: 60 } },
    { name: "max", as: { least: 1, most: 60 } },
    { name: "accept", as: "accept" },
    { name: "sensitive", as: "switch", usual: false },
    { name: "terminator", as: "key", usual: "#" },
    { name: "confirm", as: "confirm", isRare: true },
    firstDigit,
    {
      name: "inter_digit_ms",
      as: { least: 0.5, most: 20, isMs: true },
      usual: 3_000,
      isRare: true,
    },
    bargeIn,
    ...retries,
  ],
  queue: [
    service,
    { name: "skills", as: "skills", isRare: true },
    { name: "leave", as: "choices", isRare: true },
  ],
  flow: [{ name: "flow", as: "flow" }],
  return: [],
  dial: [
    { name: "to", as: "destination" },
    { name: "ring_ms", as: { least: 1, most: 120, isMs: true }, usual: 30_000 },
  ],
  lookup: [
    { name: "method", as: { options: ["GET", "POST", "PUT", "PATCH", "DELETE"] }, usual: "GET" },
    { name: "url", as: "text" },
    { name: "values", as: "map" },
    { name: "headers", as: "map", isRare: true },
    { name: "body", as: "area", isRare: true },
    {
      name: "timeout_ms",
      as: { least: 0.1, most: 30, isMs: true },
      usual: 5_000,
      isRare: true,
    },
  ],
  set: [
    { name: "variable", as: "variable" },
    { name: "value", as: "text" },
  ],
  condition: [{ name: "cases", as: "cases" }],
  record: [
    says,
    service,
    { name: "max_seconds", as: { least: 1, most: 600 }, usual: 120 },
    { name: "beep", as: "switch", usual: true },
    { name: "terminator", as: "key", usual: "#" },
  ],
  "hang-up": [
    says,
    {
      name: "cause",
      as: { options: ["normal", "busy", "no-answer", "rejected", "failure"] },
      usual: "normal",
      isRare: true,
    },
  ],
};
