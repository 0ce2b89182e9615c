import { TextInput } from "@mantine/core";
import { useState } from "react";
import css from "./calendars.module.css";
import { clockTime } from "./clock";

/** A time of the day, in 24 hours whatever the browser speaks. */
export function TimeInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const [typed, setTyped] = useState<string>();
  const done = () => {
    const time = clockTime(typed ?? "");
    if (time !== undefined && time !== value) onChange(time);
    setTyped(undefined);
  };
  return (
    <TextInput
      className={css.time}
      aria-label={label}
      inputMode="numeric"
      autoComplete="off"
      maxLength={5}
      value={typed ?? value}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === "Enter") done();
      }}
    />
  );
}
