// What an agent says above a mail: what it is about and who else gets it. No browser in here.

import type { Message, Schemas } from "../../api/client";
import { fields, list, text } from "../../api/open";

/** As it was typed; what is empty is as the mailbox does it by itself. */
export type Heading = { readonly subject: string; readonly cc: string; readonly bcc: string };

export const UNSAID: Heading = { subject: "", cc: "", bcc: "" };

/** The addresses in what was typed, apart by commas, semicolons or spaces. */
export function addresses(typed: string): readonly string[] {
  return typed.split(/[\s,;]+/).filter((one) => one !== "");
}

/** The first that is no address; nothing where all are. */
export function odd(typed: string): string | undefined {
  return addresses(typed).find((one) => !/^[^@]+@[^@]+\.[^@.]+$/.test(one));
}

/** Whether it can go so. */
export function isSound({ cc, bcc }: Heading): boolean {
  return odd(cc) === undefined && odd(bcc) === undefined;
}

/** As the program takes it; nothing where nothing was said. */
export function asked({ subject, cc, bcc }: Heading): Schemas["MailHeading"] | undefined {
  const copies = addresses(cc);
  const hidden = addresses(bcc);
  const said = {
    ...(subject.trim() === "" ? {} : { subject: subject.trim() }),
    ...(copies.length === 0 ? {} : { cc: [...copies] }),
    ...(hidden.length === 0 ? {} : { bcc: [...hidden] }),
  };
  return Object.keys(said).length === 0 ? undefined : said;
}

/** What was said above a mail of ours. */
export function saidAbove(message: Pick<Message, "content">): Heading {
  const mail = fields(fields(message.content).mail);
  const of = (all: unknown) =>
    list(all)
      .map((one) => text(fields(one).address))
      .join(", ");
  return { subject: text(mail.subject), cc: of(mail.cc), bcc: of(mail.bcc) };
}

/** What was begun, as it was kept. */
export function read(kept: string): Heading {
  try {
    return { ...UNSAID, ...JSON.parse(kept) };
  } catch {
    return UNSAID;
  }
}
