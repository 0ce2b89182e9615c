// Where a prompt is heard: in flows as they are published or written, and in services.

import type { Document } from "../ura/document";

/** The prompts that a document names, wherever in it. */
export function promptsIn(document: Document): Set<string> {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { kind, prompt } = value as { kind?: unknown; prompt?: unknown };
    if (kind === "prompt" && typeof prompt === "string") found.add(prompt);
    for (const part of Object.values(value)) look(part);
  };
  look(document.nodes);
  return found;
}

type Service = {
  music_prompt?: string | null;
  unanswered_prompt?: string | null;
  announcements?: readonly { prompt: string }[];
  calls?: { recording_notice?: string | null } | null;
};

/** The prompts that a service plays. */
export function promptsOf(service: Service): Set<string> {
  const named = [
    service.music_prompt,
    service.unanswered_prompt,
    service.calls?.recording_notice,
    ...(service.announcements ?? []).map((one) => one.prompt),
  ];
  return new Set(named.filter((one) => one != null));
}

export type Use = { readonly kind: "flow" | "service"; readonly id: string; readonly name: string };

type Flow = { id: string; name: string; documents: readonly Document[] };

/** Where `prompt` is used. */
export function usesOf(
  prompt: string,
  flows: readonly Flow[],
  services: readonly (Service & { id: string; name: string })[],
): Use[] {
  const inFlow = flows.filter(({ documents }) =>
    documents.some((one) => promptsIn(one).has(prompt)),
  );
  const inService = services.filter((one) => promptsOf(one).has(prompt));
  return [
    ...inFlow.map(({ id, name }) => ({ kind: "flow" as const, id, name })),
    ...inService.map(({ id, name }) => ({ kind: "service" as const, id, name })),
  ];
}
