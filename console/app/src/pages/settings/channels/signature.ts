// A signature as the program keeps it and as its editor has it. No browser in here.

import { fields, list, text } from "../../../api/open";

/** As the editor has it: the JSON of its document. */
export type Written = {
  readonly type: string;
  readonly text?: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly marks?: readonly {
    readonly type: string;
    readonly attrs?: Readonly<Record<string, unknown>>;
  }[];
  readonly content?: readonly Written[];
};

/** What the editor shows of what is kept. */
export function written(kept: unknown): Written {
  const paragraphs = list(fields(kept).paragraphs).map((one) => {
    const { align, runs } = fields(one);
    return {
      type: "paragraph",
      attrs: { align: text(align) || "left" },
      content: list(runs).flatMap(run),
    };
  });
  return { type: "doc", content: paragraphs.length === 0 ? [{ type: "paragraph" }] : paragraphs };
}

function run(kept: unknown): Written[] {
  const { kind, text: words, bold, italic, underline, size, color, link, ...rest } = fields(kept);
  if (kind === "break") return [{ type: "hardBreak" }];
  if (kind === "image") return [{ type: "picture", attrs: rest }];
  if (text(words) === "") return [];
  const marks = [
    ...(bold === true ? [{ type: "bold" }] : []),
    ...(italic === true ? [{ type: "italic" }] : []),
    ...(underline === true ? [{ type: "underline" }] : []),
    ...(size == null && color == null ? [] : [{ type: "look", attrs: { size, color } }]),
    ...(text(link) === "" ? [] : [{ type: "link", attrs: { href: link } }]),
  ];
  return [{ type: "text", text: text(words), marks }];
}

type Run = Readonly<Record<string, unknown>>;

/** What is kept of what was written; nothing at all where no word and no picture is. */
export function signature(doc: Written): { paragraphs: { align: string; runs: Run[] }[] } {
  const paragraphs = (doc.content ?? []).map(({ attrs, content }) => ({
    align: text(attrs?.align) || "left",
    runs: (content ?? []).flatMap(kept),
  }));
  const isEmpty = paragraphs.every(({ runs }) => runs.length === 0);
  return { paragraphs: isEmpty ? [] : paragraphs };
}

function kept({ type, text: words, marks = [], attrs = {} }: Written): Run[] {
  if (type === "hardBreak") return [{ kind: "break" }];
  if (type === "picture") {
    const { media, alt, width } = attrs;
    return [{ kind: "image", media, alt: text(alt), ...(width == null ? {} : { width }) }];
  }
  const mark = (name: string) => marks.find((one) => one.type === name);
  const { size, color } = mark("look")?.attrs ?? {};
  const link = mark("link")?.attrs?.href;
  return [
    {
      kind: "text",
      text: words ?? "",
      ...(mark("bold") && { bold: true }),
      ...(mark("italic") && { italic: true }),
      ...(mark("underline") && { underline: true }),
      ...(size == null ? {} : { size }),
      ...(color == null ? {} : { color }),
      ...(link == null ? {} : { link }),
    },
  ];
}

/** The pictures that a signature shows, of all that were put into it. */
export function shown(doc: Written): ReadonlySet<string> {
  const own = doc.type === "picture" ? [text(doc.attrs?.media)] : [];
  return new Set([...own, ...(doc.content ?? []).flatMap((below) => [...shown(below)])]);
}
