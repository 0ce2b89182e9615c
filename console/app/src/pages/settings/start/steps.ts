// How far a company is from its first call: each step is done when what it makes is there.

export const STEPS = ["service", "agent", "ura", "number", "call"] as const;

export type Step = (typeof STEPS)[number];

/** What a company has. */
export type Has = {
  readonly services: readonly object[];
  readonly users: readonly { readonly role: string }[];
  readonly flows: readonly { readonly published?: number | null }[];
  readonly numbers: readonly { readonly flow?: string | null }[];
  readonly interactions: readonly object[];
};

export function done(has: Has): ReadonlySet<Step> {
  const is: Record<Step, boolean> = {
    service: has.services.length > 0,
    agent: has.users.some(({ role }) => role === "agent"),
    ura: has.flows.some(({ published }) => published != null),
    number: has.numbers.some(({ flow }) => flow != null),
    call: has.interactions.length > 0,
  };
  return new Set(STEPS.filter((step) => is[step]));
}

/** The step that is to be taken next; nothing where all are. */
export function next(of: ReadonlySet<Step>): Step | undefined {
  return STEPS.find((step) => !of.has(step));
}

/** A number, and the URA that answers it. */
export type Numbered = {
  readonly number: string;
  readonly flow?: string | null;
  readonly disabled?: boolean;
  readonly created_ms: number;
};
type Published = { readonly id: string; readonly published?: number | null };

/** The numbers that lead to something that callers hear, the one that was made last first. */
export function led<N extends Numbered>(numbers: readonly N[], flows: readonly Published[]): N[] {
  const heard = new Set(flows.filter((one) => one.published != null).map(({ id }) => id));
  return numbers
    .filter(({ flow, disabled }) => flow != null && heard.has(flow) && disabled !== true)
    .sort((a, b) => b.created_ms - a.created_ms);
}
