// Which number a test call is made to: one that what was just set up answers, at this hour.

import { questions } from "../../../api/asking";
import { api, asked } from "../../../api/client";
import { fields, text } from "../../../api/open";
import { everOpens } from "../../ura/document";
import { simple } from "../../ura/questions";
import type { Numbered } from "./steps";

/** The number to call now; nothing where all of them are closed at this hour. */
export async function answered(numbers: readonly Numbered[]): Promise<string | null> {
  for (const { number, flow } of numbers) {
    if (await isOpen(flow ?? "")) return number;
  }
  return null;
}

/** Whether a URA answers at this moment. One that has no form decides by itself: it is called. */
async function isOpen(flow: string): Promise<boolean> {
  const found = await questions.fetchQuery(simple(flow));
  if (found === null) return true;
  const id = text(fields(found.form.hours).id);
  if (id === "") return everOpens(fields(found.form.hours).inline);
  return (await asked(api.GET("/api/v1/calendars/{id}/state", { params: { path: { id } } }))).open;
}
