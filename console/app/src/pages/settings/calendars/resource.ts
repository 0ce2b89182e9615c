import { resource, type Settings } from "../parts/resource";
import { OFFICE_WEEK } from "./hours";

export type CalendarSettings = Settings<"/api/v1/calendars">;

export const calendars = resource("/api/v1/calendars");

/** What new hours begin with. */
export const EMPTY: CalendarSettings = {
  name: "",
  hours: {
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    schedule: { weekly: OFFICE_WEEK },
    holidays: "brazil",
    dates: [],
  } as unknown as CalendarSettings["hours"],
};
