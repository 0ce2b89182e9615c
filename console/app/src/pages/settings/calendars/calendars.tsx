import { IconClock } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, TextField } from "../parts/fields";
import type { Form, Part } from "../parts/form";
import { List } from "../parts/list";
import { zones } from "../parts/zones";
import { HOLIDAYS, hours } from "./hours";
import { MonthPage } from "./month";
import { Now } from "./now";
import { type CalendarSettings, calendars, EMPTY } from "./resource";
import { hoursOf, Weekly } from "./weekly";

/** When the company answers. */
export function Calendars() {
  const { t } = useTranslation("settings");
  return (
    <List
      resource={calendars}
      section="calendars"
      title={t("section.calendars")}
      text={t("calendars.text")}
      icon={<IconClock size={36} stroke={1.4} />}
      add={t("calendars.add")}
      nothing={{ title: t("calendars.none"), text: t("calendars.noneText") }}
      name={(calendar) => calendar.name}
      columns={[
        { name: t("calendars.now"), of: ({ id }) => <Now id={id} /> },
        {
          name: t("calendars.holidays"),
          of: (one) => t(`calendars.of.${hours(one.hours).holidays}`),
          narrow: true,
        },
      ]}
    />
  );
}

export function Calendar({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={calendars}
      section="calendars"
      id={id}
      list={t("section.calendars")}
      added={t("calendars.add")}
      name={(calendar) => calendar.name}
      empty={EMPTY}
      remove={() => <p>{t("calendars.remove")}</p>}
    >
      {(form) => <Fields form={form} />}
    </Detail>
  );
}

function Fields({ form }: { form: Form<CalendarSettings> }) {
  const { t } = useTranslation("settings");
  const of = hoursOf(form);
  const kept = of.value;
  return (
    <>
      <Group title={t("calendars.about")} text={t("calendars.aboutText")}>
        <TextField of={form} at="name" label={t("name")} hint={t("calendars.nameHint")} />
        <ChoiceField
          of={of}
          at="time_zone"
          label={t("calendars.zone")}
          options={zones(kept.time_zone)}
        />
      </Group>
      <Group title={t("calendars.week")} text={t("calendars.weekText")}>
        <Weekly of={of} wrong={form.why("hours")} />
      </Group>
      <Group title={t("calendars.holidays")} text={t("calendars.holidaysText")}>
        <ChoiceField
          of={of as Part<{ holidays: string }>}
          at="holidays"
          label={t("calendars.which")}
          options={HOLIDAYS.map((value) => ({ value, label: t(`calendars.of.${value}`) }))}
        />
      </Group>
      <MonthPage hours={kept} change={(dates) => of.set({ dates })} />
    </>
  );
}
