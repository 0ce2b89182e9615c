import { useTranslation } from "react-i18next";
import { SwitchField } from "../parts/fields";
import type { Form, Part } from "../parts/form";
import { type Hours, hours, OFFICE_WEEK } from "./hours";
import type { CalendarSettings } from "./resource";
import { WeekFields } from "./week";

/** The hours within a calendar that is being changed. */
export function hoursOf(form: Form<CalendarSettings>): Part<Hours> {
  const kept = hours(form.value.hours);
  return {
    value: kept,
    set: (changes) =>
      form.set({ hours: { ...kept, ...changes } as unknown as CalendarSettings["hours"] }),
    why: (field) => form.why(`hours.${field}`),
  };
}

/** Always, or by the days of the week. */
export function Weekly({ of, wrong }: { of: Part<Hours>; wrong: string | undefined }) {
  const { t } = useTranslation("settings");
  const { schedule } = of.value;
  return (
    <>
      <SwitchField
        of={{
          value: { always: schedule === "always" },
          set: ({ always }: { always?: boolean }) =>
            of.set({ schedule: always ? "always" : { weekly: OFFICE_WEEK } }),
          why: () => undefined,
        }}
        at="always"
        label={t("calendars.always")}
      />
      {schedule !== "always" && (
        <WeekFields
          week={schedule.weekly}
          change={(weekly) => of.set({ schedule: { weekly } })}
          wrong={wrong}
        />
      )}
    </>
  );
}
