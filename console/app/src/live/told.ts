import { useEffect, useRef } from "react";
import type { LiveMessage } from "../api/client";
import { told } from "./live";

/** Hears all that is told, for as long as it is shown. */
export function useTold(hears: (what: LiveMessage) => void): void {
  const current = useRef(hears);
  current.current = hears;
  useEffect(
    () =>
      told.heard(() => {
        const what = told.now();
        if (what !== null) current.current(what);
      }),
    [],
  );
}
