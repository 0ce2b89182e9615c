// The ids under which channels know a customer, as people read them. No browser in here.

import type { Schemas } from "../../api/client";

type Identity = Pick<Schemas["IdentitySeen"], "kind" | "external_id">;

const KINDS = {
  phone: "phone",
  wa_id: "whatsapp",
  email: "email",
  cpf: "cpf",
  cnpj: "cnpj",
} as const;

type Named = (typeof KINDS)[keyof typeof KINDS] | "other";

/** What it is called, and how it reads; nothing of those that only machines use. */
export function readable({ kind, external_id }: Identity): { kind: Named; text: string } | null {
  if (kind === "wa_bsuid" || external_id.startsWith("visitor:")) return null;
  const named = KINDS[kind as keyof typeof KINDS] ?? "other";
  const isPhone = named === "phone" || named === "whatsapp";
  return { kind: named, text: isPhone ? phone(external_id) : external_id };
}

/** A Brazilian number as it is written there; any other as it is. */
export function phone(number: string): string {
  const digits = number.replace(/^\+/, "");
  const found = /^55(\d\d)(\d{4,5})(\d{4})$/.exec(digits);
  if (found === null) return /^\d{8,15}$/.test(digits) ? `+${digits}` : number;
  const [, area, first, last] = found;
  return `+55 ${area} ${first}-${last}`;
}
