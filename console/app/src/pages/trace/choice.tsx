import "@mantine/core/styles/Combobox.css";
import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import css from "./choice.module.css";

/** From so many on one rather types than looks. */
const SEARCHED_FROM = 9;

type Props = {
  /** What is chosen; it stands in the field while nothing is. */
  label: string;
  value: string | undefined;
  all: readonly { readonly value: string; readonly label: string }[];
  choose: (value: string | undefined) => void;
  /** Whether something is always chosen. */
  isNeeded?: boolean;
};

/** One of several, or none of them. */
export function Choice({ label, value, all, choose, isNeeded = false }: Props) {
  const { t: say } = useTranslation("supervision");
  return (
    <Select
      className={css.choice}
      data-chosen={value !== undefined && !isNeeded}
      size="xs"
      aria-label={label}
      placeholder={label}
      nothingFoundMessage={say("choice.none")}
      data={[...all]}
      value={value ?? null}
      onChange={(chosen) => choose(chosen ?? undefined)}
      clearable={!isNeeded}
      clearButtonProps={{ "aria-label": say("choice.clear", { label }) }}
      allowDeselect={!isNeeded}
      searchable={all.length >= SEARCHED_FROM}
      comboboxProps={{ width: "max-content", position: "bottom-start" }}
      maxDropdownHeight={340}
    />
  );
}
