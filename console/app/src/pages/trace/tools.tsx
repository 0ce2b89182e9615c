import { ActionIcon, Button, Menu, Modal, TextInput, Tooltip } from "@mantine/core";
import {
  IconBookmark,
  IconBookmarkPlus,
  IconDownload,
  IconRefresh,
  IconSearch,
  IconTrash,
  IconX,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { namedCompany } from "../../api/client";
import { session } from "../../api/questions";
import { useShortcuts } from "../../parts/keys";
import type { Filters } from "./address";
import { Choice } from "./choice";
import { narrows, type Query, STATES } from "./filters";
import css from "./list.module.css";
import { useNumbers, useServices } from "./names";
import { Period } from "./period";
import { keep, type Saved, saved, store } from "./saved";

type Props = {
  filters: Filters;
  asks: Query;
  set: (filters: Filters) => void;
  again: () => void;
  isAsking: boolean;
  count: { shown: number; isAll: boolean } | null;
};

/** By what is looked, and what can be done with all that is found. */
export function Tools({ filters, asks, set, again, isAsking, count }: Props) {
  const { t: say, i18n } = useTranslation("supervision");
  const amount = new Intl.NumberFormat(i18n.language).format(count?.shown ?? 0);
  return (
    <header className={css.tools}>
      <div className={css.titled}>
        <h1>{say("trace.title")}</h1>
        <span className={css.count} role="status">
          {count !== null && `${amount}${count.isAll ? "" : "+"}`}
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
        <SavedFilters filters={filters} set={set} />
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

type Setting = Pick<Props, "filters" | "set">;

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

function Narrowing({ filters, set }: Setting) {
  const { t: say } = useTranslation("supervision");
  const allServices = useServices("interactions");
  const allNumbers = useNumbers();
  const of = (key: "service" | "state" | "number") => ({
    value: filters[key],
    choose: (chosen: string | undefined) => {
      const { [key]: _, ...rest } = filters;
      set(chosen === undefined ? rest : { ...rest, [key]: chosen });
    },
  });
  return (
    <>
      <Choice
        label={say("trace.column.service")}
        all={(allServices ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        {...of("service")}
      />
      <Choice
        label={say("trace.state.label")}
        all={STATES.map((one) => ({ value: one, label: say(`trace.state.${one}`) }))}
        {...of("state")}
      />
      <Choice
        label={say("trace.number")}
        all={(allNumbers ?? []).map(({ id, name, number }) => ({
          value: id,
          label: `${name} · ${number}`,
        }))}
        {...of("number")}
      />
    </>
  );
}

function SavedFilters({ filters, set }: Setting) {
  const { t: say } = useTranslation("supervision");
  const { data: me } = useQuery(session);
  const user = me?.user ?? "";
  const [all, setAll] = useState<readonly Saved[]>(() => saved(user));
  const [isNaming, setIsNaming] = useState(false);
  const put = (changed: readonly Saved[]) => {
    store(user, changed);
    setAll(changed);
  };
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconBookmark size={16} stroke={1.7} />}>
            {say("trace.saved.title")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {all.map((one) => (
            <Menu.Item
              key={one.name}
              leftSection={<IconBookmark size={15} stroke={1.7} />}
              onClick={() => set(one.filters)}
            >
              {one.name}
            </Menu.Item>
          ))}
          {all.length > 0 && <Menu.Divider />}
          <Menu.Item
            leftSection={<IconBookmarkPlus size={15} stroke={1.7} />}
            onClick={() => setIsNaming(true)}
          >
            {say("trace.saved.keep")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={isNaming} onClose={() => setIsNaming(false)} title={say("trace.saved.keep")}>
        <Naming
          all={all}
          add={(name) => {
            put(keep(all, { name, filters }));
            setIsNaming(false);
          }}
          drop={(name) => put(all.filter((one) => one.name !== name))}
        />
      </Modal>
    </>
  );
}

type NamingProps = {
  all: readonly Saved[];
  add: (name: string) => void;
  drop: (name: string) => void;
};

function Naming({ all, add, drop }: NamingProps) {
  const { t: say } = useTranslation("supervision");
  const [name, setName] = useState("");
  return (
    <form
      className={css.naming}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") add(name.trim());
      }}
    >
      <TextInput
        label={say("trace.saved.name")}
        placeholder={say("trace.saved.example")}
        value={name}
        maxLength={60}
        data-autofocus
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <Button type="submit">{say("trace.saved.save")}</Button>
      {all.length > 0 && (
        <ul className={css.savedList}>
          {all.map((one) => (
            <li key={one.name}>
              <span>{one.name}</span>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={say("trace.saved.drop", { name: one.name })}
                onClick={() => drop(one.name)}
              >
                <IconTrash size={16} stroke={1.7} />
              </ActionIcon>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
