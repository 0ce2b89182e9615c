// The place in the line, and who is there by the hours.

import { useShell, useWords } from "./context.ts";

export function Waiting() {
  const { chat } = useShell();
  const words = useWords();
  const { state, phase } = chat;
  const { position, wait_ms, service, away, open } = state ?? {};
  return (
    <div role="status" class="waiting">
      {phase === "waiting" && (
        <div class="card line">
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <p>
            <strong>{typeof position === "number" ? words.inLine(position) : words.waiting}</strong>
            {typeof wait_ms === "number" && (
              <span>{words.waitAbout(Math.ceil(wait_ms / 60_000))}</span>
            )}
            {service && <span>{words.waitService(service.name)}</span>}
          </p>
        </div>
      )}
      {open === false && away && phase !== "agent" && <p class="card">{away}</p>}
    </div>
  );
}
