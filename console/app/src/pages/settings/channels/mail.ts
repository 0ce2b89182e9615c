import type { Schemas } from "../../../api/client";

/** Where a server is; the description of the API leaves its shape open. */
export type Server = { host: string; port: number; security: string };

/** What can be set of a mailbox. The password is never shown again: it is only in what is sent. */
export type Mail = Omit<Schemas["EmailSettings"], "receiving" | "sending"> & {
  password?: string;
  receiving?: Server | null;
  sending?: Server | null;
};

/** Whether there is enough of it to be tried; the password of one that is kept is kept too. */
export function canBeTried(mail: Mail, isKept: boolean): boolean {
  if (!/.@./.test(mail.address ?? "")) return false;
  if ((mail.login ?? "password") !== "password") return true;
  const hasServers = [mail.receiving, mail.sending].every((server) => server?.host.trim());
  return hasServers && (isKept || (mail.password ?? "") !== "");
}

/** As the program takes it. */
export function taken(mail: Mail): Schemas["EmailSettings"] {
  const { password, ...rest } = mail;
  return (password === undefined || password === "" ? rest : mail) as Schemas["EmailSettings"];
}
