import { useEffect, useRef } from "react";
import { api, asked } from "../../api/client";

/** How often one says again that one is there, in milliseconds: it is believed for six seconds. */
const EVERY_MS = 4_000;

type Doing = "reading" | "typing" | "gone";

/** Tells who has it in hand that one reads it, for as long as it is shown; returns how to say that one writes. */
export function useBeside(interaction: string): () => void {
  const typed = useRef(0);
  const say = (doing: Doing) => {
    const params = { path: { id: interaction } };
    const body = { kind: "beside", doing } as const;
    // Nobody waits for it.
    asked(api.POST("/api/v1/interactions/{id}/signals", { params, body })).catch(() => {});
  };
  const said = useRef(say);
  said.current = say;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is said is about this one.
  useEffect(() => {
    const there = () => {
      const writes = Date.now() - typed.current < EVERY_MS;
      if (document.visibilityState === "visible") said.current(writes ? "typing" : "reading");
    };
    there();
    const timer = setInterval(there, EVERY_MS);
    return () => {
      clearInterval(timer);
      said.current("gone");
    };
  }, [interaction]);
  return () => {
    const wasTyping = Date.now() - typed.current < EVERY_MS;
    typed.current = Date.now();
    if (!wasTyping) say("typing");
  };
}
