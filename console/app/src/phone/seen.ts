// A call as the one sees it who has it in hand, from what the program tells of it. No browser in here.

import type { Schemas } from "../api/client";

type Call = Schemas["Call"];

export type Seen = {
  /** The customer hears music. */
  readonly isHeld: boolean;
  /** Nobody hears us. */
  readonly isMuted: boolean;
  /** Somebody is asked about it, and where they are. */
  readonly asks: "no" | "ringing" | "with them" | "with the customer" | "together";
  /** We are the one who is asked. */
  readonly isAsked: boolean;
};

export function seen(call: Call, me: string): Seen {
  const own = call.parties.find((party) => party.user === me);
  const customer = call.parties.find((party) => party.role === "customer");
  const isAsked = call.asks && call.agent != null && call.agent !== me;
  return {
    isHeld: customer?.place === "held" && !call.asks,
    isMuted: own?.muted ?? false,
    asks: asking(call, me),
    isAsked,
  };
}

function asking(call: Call, me: string): Seen["asks"] {
  if (!call.asks) return "no";
  const others = call.parties.filter(
    ({ role, user }) => user !== me && (role === "agent" || role === "guest"),
  );
  const own = call.parties.find((party) => party.user === me);
  const customer = call.parties.find((party) => party.role === "customer");
  if (others.length === 0) return "ringing";
  if (own?.place === "aside") return "with them";
  const isWithAll = others.some(({ place }) => place === "together");
  return customer?.place === "together" && isWithAll ? "together" : "with the customer";
}

/** The call in which one is; of several the one in hand. */
export function mine(calls: Readonly<Record<string, Call>>, me: string): Call | undefined {
  const all = Object.values(calls);
  return (
    all.find((call) => call.agent === me) ??
    all.find((call) => call.parties.some((party) => party.user === me))
  );
}
