import { Button, Modal, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import parts from "../parts/parts.module.css";
import css from "./calendars.module.css";
import type { OwnDate } from "./hours";
import { Intervals } from "./week";

const HOW = ["closed", "open", "as-usual"] as const;

/** A date that is not like others: what it is called, and when it is open. */
export function DateEditor({
  date: kept,
  isNew,
  change,
  close,
}: {
  date: OwnDate;
  isNew: boolean;
  /** Nothing: it is to be as any other. */
  change: (date: OwnDate | undefined) => void;
  close: () => void;
}) {
  const { t } = useTranslation("settings");
  const [date, setDate] = useState(kept);
  const how = typeof date.hours === "string" ? date.hours : "open";
  const set = (changes: Partial<OwnDate>) => setDate({ ...date, ...changes });
  return (
    <Modal
      opened
      onClose={close}
      title={t(isNew ? "date.add" : "date.edit")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <div className={css.date}>
        <TextInput
          label={t("name")}
          placeholder={t("date.nameHint")}
          data-autofocus
          value={date.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        <div className={parts.row}>
          <TextInput
            type="date"
            label={t("date.on")}
            value={date.on}
            onChange={(event) => set({ on: event.currentTarget.value })}
          />
          <TextInput
            type="date"
            label={t("date.until")}
            min={date.on}
            value={date.until ?? date.on}
            onChange={(event) => set({ until: event.currentTarget.value })}
          />
        </div>
        <SegmentedControl
          aria-label={t("date.how")}
          value={how}
          data={HOW.map((value) => ({ value, label: t(`date.${value}`) }))}
          onChange={(value) =>
            set({
              hours:
                value === "open"
                  ? { open: [{ from: "09:00", to: "13:00" }] }
                  : (value as "closed" | "as-usual"),
            })
          }
        />
        {typeof date.hours !== "string" && (
          <Intervals intervals={date.hours.open} change={(open) => set({ hours: { open } })} />
        )}
        <Switch
          label={t("date.everyYear")}
          checked={date.every_year}
          onChange={(event) => set({ every_year: event.currentTarget.checked })}
        />
      </div>
      <div className={parts.buttons}>
        {!isNew && (
          <Button variant="subtle" color="red" onClick={() => change(undefined)}>
            {t("date.remove")}
          </Button>
        )}
        <Button disabled={date.name.trim() === "" || date.on === ""} onClick={() => change(date)}>
          {t("date.set")}
        </Button>
      </div>
    </Modal>
  );
}
