import { ActionIcon, Button, TextInput, Tooltip } from "@mantine/core";
import { IconDownload, IconRefresh, IconSearch, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { namedCompany } from "../../api/client";
import { useShortcuts } from "../../parts/keys";
import type { Filters } from "./address";
import { narrows, type Query } from "./filters";
import { Keeping } from "./keeping";
import css from "./list.module.css";
import { Narrowing } from "./narrowing";
import { Period } from "./period";
import { count } from "./questions";

type Props = {
  filters: Filters;
  asks: Query;
  set: (filters: Filters) => void;
  again: () => void;
  isAsking: boolean;
};

/** By what is looked, and what can be done with all that is found. */
export function Tools({ filters, asks, set, again, isAsking }: Props) {
  const { t: say, i18n } = useTranslation("supervision");
  const { data: found } = useQuery(count(asks));
  const format = new Intl.NumberFormat(i18n.language);
  return (
    <header className={css.tools}>
      <div className={css.titled}>
        <h1>{say("trace.title")}</h1>
        <span className={css.count} role="status">
          {found !== undefined &&
            say("trace.found", {
              count: found.count,
              amount: `${format.format(found.count)}${found.more ? "+" : ""}`,
            })}
        </span>
        <Tooltip label={say("trace.again")}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={say("trace.again")}
            data-turning={isAsking}
            className={css.again}
            onClick={again}
          >
            <IconRefresh size={18} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
        <Keeping filters={filters} set={set} />
        <Button
          component="a"
          href={`/api/v1/interactions.csv?${csv(asks)}`}
          download
          size="xs"
          variant="default"
          leftSection={<IconDownload size={16} stroke={1.7} />}
        >
          {say("trace.csv")}
        </Button>
      </div>
      <search className={css.filters}>
        <Search filters={filters} set={set} />
        <Period filters={filters} set={set} />
        <Narrowing filters={filters} set={set} />
        {narrows(filters) && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            leftSection={<IconX size={14} />}
            onClick={() => {
              const { period, from, until } = filters;
              set({
                ...(period && { period }),
                ...(from && { from }),
                ...(until && { until }),
              });
            }}
          >
            {say("trace.clear")}
          </Button>
        )}
      </search>
    </header>
  );
}

function csv(asks: Query): string {
  const query = new URLSearchParams(
    Object.entries(asks).flatMap(([key, value]) => (value == null ? [] : [[key, String(value)]])),
  );
  return [query.toString(), namedCompany()].filter((part) => part !== "").join("&");
}

export type Setting = Pick<Props, "filters" | "set">;

/** How long nobody types before it is asked, in milliseconds. */
const TYPING_MS = 300;

function Search({ filters, set }: Setting) {
  const { t: say } = useTranslation("supervision");
  const [text, setText] = useState(filters.q ?? "");
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => field.current?.focus() });
  // Others change it as well: a saved filter, the way back.
  useEffect(() => setText(filters.q ?? ""), [filters.q]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time runs from the last letter.
  useEffect(() => {
    if (text === (filters.q ?? "")) return;
    const timer = setTimeout(() => {
      const { q: _, ...rest } = filters;
      set(text.trim() === "" ? rest : { ...rest, q: text });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <TextInput
      ref={field}
      size="xs"
      className={css.search}
      leftSection={<IconSearch size={15} stroke={1.7} />}
      aria-label={say("trace.search")}
      placeholder={say("trace.search")}
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
    />
  );
}
