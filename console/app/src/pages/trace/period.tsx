import { TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { serverNow } from "../../api/client";
import { type Filters, PERIODS } from "./address";
import { Choice } from "./choice";
import { dayText, range } from "./filters";

type Props = { filters: Filters; set: (filters: Filters) => void };

/** A time by its name, or by its days. */
export function Period({ filters, set }: Props) {
  const { t: say } = useTranslation("supervision");
  const period = filters.period ?? "today";
  const choose = (chosen: string | undefined) => {
    const found = PERIODS.find((known) => known === chosen) ?? "today";
    const { from: _, until: __, ...rest } = filters;
    if (found !== "free") return set({ ...rest, period: found });
    // A free time begins as the one that was shown.
    const shown = range(filters, serverNow());
    const from = dayText(shown.from ?? serverNow());
    const until = dayText(shown.until === undefined ? serverNow() : shown.until - 1);
    set({ ...rest, period: found, from, until });
  };
  const day = (key: "from" | "until") => (
    <TextInput
      key={key}
      size="xs"
      type="date"
      aria-label={say(`trace.${key}`)}
      value={filters[key] ?? ""}
      onChange={({ currentTarget: { value } }) => {
        const { [key]: _, ...rest } = filters;
        set(value === "" ? rest : { ...rest, [key]: value });
      }}
    />
  );
  return (
    <>
      <Choice
        label={say("trace.period.label")}
        value={period}
        all={PERIODS.map((one) => ({ value: one, label: say(`trace.period.${one}`) }))}
        choose={choose}
        isNeeded
      />
      {period === "free" && [day("from"), day("until")]}
    </>
  );
}
