// The fields of forms: each is bound to one name of a part.

import {
  MultiSelect,
  NumberInput,
  PasswordInput,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Holding, Part } from "./form";
import css from "./parts.module.css";
import { all, type Listed } from "./resource";

type Named<T, V> = {
  of: Part<T>;
  at: Holding<T, V>;
  label: string;
  hint?: ReactNode;
  disabled?: boolean;
};

const changed = <T, V>(of: Part<T>, at: Holding<T, V>, value: unknown) =>
  of.set({ [at]: value } as unknown as Partial<T>);

/** A line of text. What is empty is nothing, where the field may be nothing. */
export function TextField<T>({
  of,
  at,
  label,
  hint,
  empty = "",
  lines,
  secret,
  ...more
}: Named<T, string> & {
  /** What is kept where nothing is written. */
  empty?: "" | null;
  lines?: number;
  secret?: boolean;
  required?: boolean;
  placeholder?: string;
  autoFocus?: boolean;
  autoComplete?: string;
  inputMode?: "tel" | "url" | "email" | "numeric";
  maxLength?: number;
  mono?: boolean;
}) {
  const { t } = useTranslation();
  const { mono, ...rest } = more;
  const shared = {
    ...rest,
    label,
    description: hint,
    withAsterisk: false,
    error: of.why(at),
    value: String(of.value[at] ?? ""),
    classNames: mono ? { input: css.mono ?? "" } : {},
    onChange: (event: { currentTarget: { value: string } }) =>
      changed(of, at, event.currentTarget.value === "" ? empty : event.currentTarget.value),
  };
  if (secret) {
    return (
      <PasswordInput
        autoComplete="new-password"
        {...shared}
        visibilityToggleButtonProps={{ "aria-label": t("login.show") }}
      />
    );
  }
  if (lines !== undefined) return <Textarea {...shared} rows={lines} />;
  return <TextInput autoComplete="off" {...shared} />;
}

/** A whole number; nothing where it is empty. */
export function NumberField<T>({
  of,
  at,
  label,
  hint,
  unit,
  times = 1,
  empty = null,
  ...more
}: Named<T, number> & {
  unit?: string;
  /** How many of what is kept make one of what is shown: 60 shows seconds as minutes. */
  times?: number;
  empty?: number | null;
  min?: number;
  max?: number;
  placeholder?: string;
  required?: boolean;
}) {
  const kept = of.value[at] as number | null | undefined;
  return (
    <NumberInput
      {...more}
      classNames={{ wrapper: css.number ?? "" }}
      label={label}
      description={hint}
      withAsterisk={false}
      error={of.why(at)}
      allowDecimal={false}
      allowNegative={(more.min ?? 0) < 0}
      clampBehavior="blur"
      hideControls
      value={kept == null ? "" : kept / times}
      suffix={unit === undefined ? "" : ` ${unit}`}
      onChange={(value) =>
        changed(of, at, value === "" ? empty : Math.round(Number(value) * times))
      }
    />
  );
}

/** Yes or no. */
export function SwitchField<T>({
  of,
  at,
  label,
  hint,
  not = false,
  disabled,
}: Named<T, boolean> & {
  /** What is kept is the contrary of what is shown. */
  not?: boolean;
}) {
  return (
    <Switch
      className={css.switch}
      disabled={disabled ?? false}
      label={label}
      description={hint}
      error={of.why(at)}
      checked={Boolean(of.value[at]) !== not}
      onChange={(event) => changed(of, at, event.currentTarget.checked !== not)}
    />
  );
}

export type Option = { value: string; label: string };

/** One of a few. */
export function ChoiceField<T>({
  of,
  at,
  label,
  hint,
  options,
  none,
  empty = null,
  disabled,
}: Named<T, string> & {
  options: readonly Option[];
  /** What it means that nothing is chosen; something must be when not given. */
  none?: string;
  empty?: "" | null;
}) {
  const { t } = useTranslation("settings");
  const kept = of.value[at] as string | null | undefined;
  return (
    <Select
      label={label}
      description={hint}
      disabled={disabled ?? false}
      error={of.why(at)}
      withAsterisk={false}
      data={[...options]}
      value={kept == null || kept === "" ? null : kept}
      placeholder={none ?? t("choose")}
      clearable={none !== undefined}
      searchable={options.length > 8}
      allowDeselect={false}
      nothingFoundMessage={t("nothing")}
      comboboxProps={{ shadow: "md" }}
      clearButtonProps={{ "aria-label": t("clear") }}
      onChange={(value) => changed(of, at, value ?? empty)}
    />
  );
}

/** Some of many. */
export function ManyField<T>({
  of,
  at,
  label,
  hint,
  options,
  none,
  disabled,
}: Named<T, string[]> & { options: readonly Option[]; none?: string }) {
  const kept = (of.value[at] ?? []) as string[];
  return (
    <Many
      label={label}
      hint={hint}
      error={of.why(at)}
      options={options}
      none={none}
      disabled={disabled}
      value={kept}
      onChange={(value) => changed(of, at, value)}
    />
  );
}

/** The same, of what has no form. */
export function Many({
  label,
  hint,
  error,
  options,
  none,
  disabled,
  value,
  onChange,
}: {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  options: readonly Option[];
  none?: string | undefined;
  disabled?: boolean | undefined;
  value: string[];
  onChange: (value: string[]) => void;
}) {
  const { t } = useTranslation("settings");
  return (
    <MultiSelect
      label={label}
      description={hint}
      error={error}
      disabled={disabled ?? false}
      data={[...options]}
      value={value}
      placeholder={value.length === 0 ? (none ?? t("choose")) : ""}
      searchable
      clearable
      hidePickedOptions
      nothingFoundMessage={t("nothing")}
      comboboxProps={{ shadow: "md" }}
      clearButtonProps={{ "aria-label": t("clear") }}
      onChange={onChange}
    />
  );
}

/** Words that are typed one after the other. */
export function TagsField<T>({
  of,
  at,
  label,
  hint,
  placeholder = "",
}: Named<T, string[]> & { placeholder?: string }) {
  const kept = (of.value[at] ?? []) as string[];
  return (
    <TagsInput
      label={label}
      description={hint}
      error={of.why(at)}
      value={kept}
      placeholder={kept.length === 0 ? placeholder : ""}
      acceptValueOnBlur
      splitChars={[",", ";", " "]}
      onChange={(value) => changed(of, at, value)}
    />
  );
}

/** Everything of a list, to choose from by name. */
export function useOptions<One extends { id: string; name: string }>(
  of: Listed<One>,
): readonly Option[] {
  const { data } = useQuery(all(of));
  return (data ?? [])
    .map(({ id, name }) => ({ value: id, label: name }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

/** Fields that belong together: what they are about on the left, they on the right. */
export function Group({
  title,
  text,
  children,
}: {
  title: string;
  text?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={css.group}>
      <div className={css.about}>
        <h2>{title}</h2>
        {text !== undefined && <p>{text}</p>}
      </div>
      <div className={css.fields}>{children}</div>
    </section>
  );
}

/** Short fields beside each other. */
export function Row({ children }: { children: ReactNode }) {
  return <div className={css.row}>{children}</div>;
}
