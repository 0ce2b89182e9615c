// What was begun and not sent: it outlives a change of page, a reload and a crash.

const PREFIX = "ramal.draft.";

export function draft(interaction: string): string {
  return localStorage.getItem(PREFIX + interaction) ?? "";
}

export function keepDraft(interaction: string, text: string): void {
  if (text === "") localStorage.removeItem(PREFIX + interaction);
  else localStorage.setItem(PREFIX + interaction, text);
}

/** Forgets all of them: somebody else may sit here next. */
export function forgetDrafts(): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  }
}
