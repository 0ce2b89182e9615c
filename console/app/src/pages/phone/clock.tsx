import { useNow } from "../../parts/time";
import { ticked } from "./ticked";

/** For how long something goes on, as clocks show it. */
export function Clock({ sinceMs }: { sinceMs: number }) {
  const now = useNow(1_000);
  return <time>{ticked(now - sinceMs)}</time>;
}
