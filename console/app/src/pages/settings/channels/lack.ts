// What is missing before customers can come by a channel or a number: the first thing to be done, or nothing.

/** What is missing, as a word. `off` was wanted. */
export type Lack =
  | "off"
  | "flow"
  | "unpublished"
  | "account"
  | "webhook"
  | "key"
  | "origins"
  | "agents"
  | "service"
  | "broken"
  | "failing"
  | "silent"
  | "unread";

type Number = { readonly flow?: string | null; readonly disabled?: boolean };
type Flow = { readonly id: string; readonly published?: number | null };

/** Of a number: the flow that answers, published. Nothing while flows are not known. */
export function lackOfNumber(number: Number, flows: readonly Flow[] | undefined): Lack | undefined {
  if (number.disabled) return "off";
  if (number.flow == null) return "flow";
  const flow = flows?.find(({ id }) => id === number.flow);
  return flow !== undefined && flow.published == null ? "unpublished" : undefined;
}

/** What is known of a channel besides its settings. */
export type Known = {
  /** `ok`, `broken` or `silent`. */
  readonly health?: string | undefined;
  /** Of a mailbox: `ok`, `failing` or `new`. */
  readonly mailbox?: string | undefined;
  /** Whether somebody takes the work of its service; nothing while that is not known. */
  readonly hasAgents?: boolean | undefined;
  /** Whether its service is in use. */
  readonly serves?: boolean | undefined;
};

type Channel = {
  readonly kind: string;
  readonly disabled: boolean;
  readonly webhook?: string | null;
  readonly settings: object;
};

export function lackOfChannel(channel: Channel, known: Known): Lack | undefined {
  if (channel.disabled) return "off";
  if (channel.kind === "whatsapp" && !("account" in channel.settings)) return "account";
  if (known.serves === false) return "service";
  if (known.hasAgents === false) return "agents";
  if (known.health === "broken") return "broken";
  if (known.mailbox === "failing") return "failing";
  if (known.mailbox === "new") return "unread";
  if (channel.kind === "generic" && channel.webhook == null) return "webhook";
  if (channel.kind === "webchat" && origins(channel.settings) === 0) return "origins";
  return known.health === "silent" ? "silent" : undefined;
}

function origins(settings: object): number {
  return "origins" in settings && Array.isArray(settings.origins) ? settings.origins.length : 0;
}

/** Nothing comes or goes as long as these are missing; with the others it does. */
const GRAVE: ReadonlySet<Lack> = new Set([
  "flow",
  "unpublished",
  "account",
  "service",
  "broken",
  "failing",
]);

export function isGrave(lack: Lack): boolean {
  return GRAVE.has(lack);
}
