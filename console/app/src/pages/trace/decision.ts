// The sentence of a decision in its parts. No browser in here.

export type Reasons = {
  /** How the work came up. */
  readonly rule: string;
  readonly agents: readonly { readonly name: string; readonly why: string }[];
};

/** `rule · name: why · name: why`, as the program writes it. */
export function reasons(sentence: string): Reasons {
  const [rule = "", ...rest] = sentence.split(" · ");
  const agents = rest.map((part) => {
    const [name = "", ...why] = part.split(": ");
    return { name, why: why.join(": ") };
  });
  return { rule, agents };
}
