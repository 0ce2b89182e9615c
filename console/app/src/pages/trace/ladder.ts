// Where the messages of a SIP ladder stand: a line for each side, an arrow for each message. No browser in here.

import type { Schemas } from "../../api/client";

export type Leg = Schemas["SipLeg"];

/** A side of the call: an address, or Ramal. */
export type Side = { readonly name: string; readonly leg: number | null };

export type Arrow = {
  readonly key: string;
  readonly at: number;
  /** The place of the sides, from the left. */
  readonly from: number;
  readonly to: number;
  /** `INVITE`, `200 OK`. */
  readonly label: string;
  readonly isAnswer: boolean;
  /** The status of an answer; 0 of what is asked. */
  readonly status: number;
  readonly line: string;
  readonly cseq: string;
  readonly transport: string;
  readonly text: string;
  readonly leg: number;
};

export type Ladder = { readonly sides: readonly Side[]; readonly arrows: readonly Arrow[] };

/** The first leg stands at the left of Ramal, all others at its right. */
export function ladder(legs: readonly Leg[]): Ladder {
  const sides: Side[] = [];
  const place = new Map<number, number>();
  for (const [index, leg] of legs.entries()) {
    if (index === 1) sides.push({ name: "", leg: null });
    place.set(leg.leg, sides.length);
    sides.push({ name: leg.messages[0]?.peer ?? leg.call_id, leg: leg.leg });
  }
  if (legs.length === 1) sides.push({ name: "", leg: null });
  const ours = sides.findIndex(({ leg }) => leg === null);
  const arrows = legs.flatMap((leg) =>
    leg.messages.map((message, index): Arrow & { order: number } => {
      const peer = place.get(leg.leg) ?? 0;
      const isSent = message.direction === "sent";
      return {
        key: `${leg.leg}.${index}`,
        order: index,
        at: message.at_ms,
        from: isSent ? ours : peer,
        to: isSent ? peer : ours,
        ...named(message.line),
        line: message.line,
        cseq: message.cseq,
        transport: message.transport,
        text: message.text ?? "",
        leg: leg.leg,
      };
    }),
  );
  arrows.sort((a, b) => a.at - b.at || a.leg - b.leg || a.order - b.order);
  return { sides, arrows: arrows.map(({ order: _, ...arrow }) => arrow) };
}

/** What is asked by its method, what is answered by its status. */
function named(line: string): Pick<Arrow, "label" | "isAnswer" | "status"> {
  const answer = /^SIP\/2\.0 (\d{3})\s*(.*)$/.exec(line);
  if (answer === null) return { label: line.split(" ")[0] ?? line, isAnswer: false, status: 0 };
  return { label: `${answer[1]} ${answer[2]}`.trim(), isAnswer: true, status: Number(answer[1]) };
}
