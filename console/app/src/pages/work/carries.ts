// What a channel carries, of what its description says: only what the page asks. No browser in here.

import { fields } from "../../api/open";

export type Carries = {
  readonly templates: boolean;
  /** Whether a message can quote the one it answers. */
  readonly replies: boolean;
  readonly typing: boolean;
  /** Files in one message. */
  readonly files: number;
  readonly textMax: number;
  /** How long a text is, in the unit of `textMax`. */
  readonly length: (text: string) => number;
};

export function carries(capabilities: unknown): Carries {
  const of = fields(capabilities);
  const max = fields(of.text_max);
  const countsBytes = typeof max.bytes === "number";
  const most = countsBytes ? max.bytes : max.chars;
  return {
    templates: of.templates === true,
    replies: of.replies === true,
    typing: of.typing === true,
    files: typeof of.files_max === "number" ? of.files_max : 1,
    textMax: typeof most === "number" ? most : Number.POSITIVE_INFINITY,
    length: countsBytes
      ? (text) => new TextEncoder().encode(text).length
      : (text) => [...text].length,
  };
}
