// Times as people say them.

import type { TFunction } from "i18next";
import { useEffect, useState } from "react";
import { serverNow } from "../api/client";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The program's clock, read again every `everyMs` while it is shown. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Whether something is so, once it has been for `ms`: what passes at once is not worth a word. */
export function useLasting(is: boolean, ms: number): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!is) {
      setLasts(false);
      return;
    }
    const timer = setTimeout(() => setLasts(true), ms);
    return () => clearTimeout(timer);
  }, [is, ms]);
  return is && lasts;
}

/** How long that is, in the largest unit that says enough. */
export function long(t: TFunction, ms: number): string {
  if (ms < MINUTE) return t("time.second", { count: Math.max(0, Math.floor(ms / SECOND)) });
  if (ms < HOUR) return t("time.minute", { count: Math.floor(ms / MINUTE) });
  if (ms < 2 * DAY) return t("time.hour", { count: Math.floor(ms / HOUR) });
  return t("time.day", { count: Math.floor(ms / DAY) });
}

/** The same, where nobody counts the seconds. */
export function ago(t: TFunction, ms: number): string {
  return ms < MINUTE ? t("time.now") : long(t, ms);
}

/** The time of the day. */
export function clock(language: string, ms: number): string {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(ms);
}

/** The day, by name where it is near. */
export function day(t: TFunction, language: string, ms: number, now: number): string {
  const start = (at: number) => new Date(at).setHours(0, 0, 0, 0);
  const days = Math.round((start(now) - start(ms)) / DAY);
  if (days === 0) return t("talk.today");
  if (days === 1) return t("talk.yesterday");
  const isThisYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "long",
    ...(isThisYear ? {} : { year: "numeric" as const }),
  }).format(ms);
}
