// Whom one was offered last and did not take in time: said for as long as one is paused for it.

import { store } from "../../live/store";

export const missed = store<{ readonly name: string; readonly service: string } | null>(null);
