import { Button } from "@mantine/core";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Node, tree } from "../settings/services/tree";
import { MEDIA, NARROWED, type Narrowed } from "./address";
import { Choice } from "./choice";
import { OUTCOMES, STATES } from "./filters";
import { type Named, useChannels, useNumbers, usePeople, useServices } from "./names";
import { tags } from "./questions";
import type { Setting } from "./tools";

/** What is looked for so often that it is always there. */
const ALWAYS: readonly Narrowed[] = ["service", "agent", "state"];

type Options = readonly { readonly value: string; readonly label: string }[];

/** By what is narrowed: the usual, what is chosen, and all the rest once it is wanted. */
export function Narrowing({ filters, set }: Setting) {
  const { t: say } = useTranslation("supervision");
  const [isWide, setIsWide] = useState(false);
  const options = useOptions();
  const isShown = (key: Narrowed) => isWide || ALWAYS.includes(key) || filters[key] !== undefined;
  return (
    <>
      {NARROWED.filter(isShown).map((key) => (
        <Choice
          key={key}
          label={say(`trace.by.${key}`)}
          all={options[key]}
          value={filters[key]}
          choose={(chosen) => {
            const { [key]: _, ...rest } = filters;
            set(chosen === undefined ? rest : { ...rest, [key]: chosen });
          }}
        />
      ))}
      <Button
        size="xs"
        variant="subtle"
        color="gray"
        aria-expanded={isWide}
        leftSection={<IconAdjustmentsHorizontal size={15} aria-hidden="true" />}
        onClick={() => setIsWide(!isWide)}
      >
        {say(isWide ? "trace.less" : "trace.more")}
      </Button>
    </>
  );
}

function useOptions(): Readonly<Record<Narrowed, Options>> {
  const { t: say } = useTranslation("supervision");
  const served = useServices("interactions") ?? [];
  const { data: tagged = [] } = useQuery(tags);
  const named = (all: readonly { id: string; name: string }[] | undefined) =>
    (all ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return {
    service: named(served),
    agent: named(usePeople()),
    state: STATES.map((value) => ({ value, label: say(`trace.state.${value}`) })),
    medium: MEDIA.map((value) => ({ value, label: say(`reports.medium.${value}`) })),
    outcome: OUTCOMES.map((value) => ({ value, label: say(`trace.ended.${value}`) })),
    disposition: codes(served),
    tag: tagged.map(({ tag }) => ({ value: tag, label: tag })),
    channel: named(useChannels()),
    number: (useNumbers() ?? []).map(({ id, name, number }) => ({
      value: id,
      label: `${name} · ${number}`,
    })),
    hour_from: hours(0, say),
    hour_until: hours(1, say),
  };
}

const DAY_HOURS = 24;

function hours(first: number, say: ReturnType<typeof useTranslation<"supervision">>["t"]): Options {
  return Array.from({ length: DAY_HOURS }, (_, at) => ({
    value: String(first + at),
    label: say(first === 0 ? "trace.hourFrom" : "trace.hourUntil", {
      hour: String(first + at).padStart(2, "0"),
    }),
  }));
}

/** The codes of all services, each once and with what stands above it. */
function codes(served: readonly Named[]): Options {
  const found = new Map<string, string>();
  const take = (nodes: readonly Node[], above: string) => {
    for (const { id, name, children } of nodes) {
      if (children.length === 0) found.set(id, `${above}${name}`);
      else take(children, `${above}${name} › `);
    }
  };
  for (const { rules } of served) take(tree(rules?.dispositions ?? []), "");
  return [...found]
    .map(([value, label]) => ({ value, label }))
    .sort((a, b) => a.label.localeCompare(b.label));
}
