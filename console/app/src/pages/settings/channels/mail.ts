import type { Schemas } from "../../../api/client";

/** Where a server is; the description of the API leaves its shape open. */
export type Server = { host: string; port: number; security: string };

/** What can be set of a mailbox. The password is never shown again: it is only in what is sent. */
export type Mail = Omit<Schemas["EmailSettings"], "receiving" | "sending"> & {
  password?: string;
  receiving?: Server | null;
  sending?: Server | null;
};

/** As the program takes it. */
export function taken(mail: Mail): Schemas["EmailSettings"] {
  const { password, ...rest } = mail;
  return (password === undefined || password === "" ? rest : mail) as Schemas["EmailSettings"];
}
