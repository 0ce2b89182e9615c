import {
  ActionIcon,
  Button,
  NativeSelect,
  NumberInput,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ComponentType, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import type { components } from "../../../api/flow";
import { services } from "../../../api/questions";
import type { Document, Finding, Node, Say } from "../document";
import { Hours } from "../hours";
import { flows } from "../questions";
import css from "./editor.module.css";
import { at, put, variables } from "./graph";
import type { Field } from "./kinds";
import type { Names } from "./names";
import { Says } from "./says";

type Parts = components["schemas"];

type Props = {
  field: Field;
  node: Node;
  change: (next: Node, what?: string) => void;
  document: Document;
  names: Names;
  findings: readonly Finding[];
  isFixed: boolean;
};

/** What a field is given to be changed. */
type Given<T> = {
  name: string;
  label: string;
  value: T;
  set: (value: T | undefined) => void;
  fault: (below?: string) => string | undefined;
  document: Document;
  names: Names;
  isFixed: boolean;
};

/** A field of a step, by its way. */
export function FieldOf({ field, node, change, findings, ...rest }: Props) {
  const { t } = useTranslation("ura");
  const pointer = `/${field.name}`;
  const fault = (below = "") =>
    findings.find(
      (one) => one.field === pointer + below || one.field.startsWith(`${pointer}${below}/`),
    )?.sentence;
  const value = at(node, pointer) ?? field.usual;
  const set = (next: unknown) => change(put(node, pointer, next), pointer);
  const label = t(`field.${field.name}` as "field.say");
  const given = { name: field.name, label, value, set, fault, ...rest };
  // What a field holds is of its way: `FIELDS` says which.
  if (typeof field.as !== "object") {
    const Way = WAYS[field.as] as unknown as ComponentType<typeof given>;
    return <Way {...given} />;
  }
  if ("options" in field.as) {
    return <Options {...(given as Given<string>)} options={field.as.options} />;
  }
  return <Amount {...(given as Given<number>)} {...field.as} />;
}

const WAYS = {
  says: (given: Given<Say[] | undefined>) => <SayField {...given} />,
  calendar: Calendar,
  service: Service,
  flow: Other,
  choices: Choices,
  cases: Cases,
  skills: Skills,
  retry: Retry,
  destination: Destination,
  map: Pairs,
  text: Text,
  area: Area,
  variable: Text,
  key: KeyField,
  accept: Accept,
  confirm: Confirm,
  switch: Toggle,
};

function SayField({ label, value, set, fault, document, isFixed }: Given<Say[] | undefined>) {
  return (
    <Says
      label={label}
      value={value ?? []}
      change={set}
      document={document}
      fault={fault()}
      isFixed={isFixed}
    />
  );
}

function Text({ label, value, set, fault, isFixed }: Given<string | undefined>) {
  return (
    <TextInput
      label={label}
      value={value ?? ""}
      error={fault()}
      readOnly={isFixed}
      onChange={(event) => set(event.currentTarget.value)}
    />
  );
}

function Area({ label, value, set, fault, isFixed }: Given<string | undefined>) {
  return (
    <Textarea
      label={label}
      autosize
      minRows={2}
      maxRows={10}
      value={value ?? ""}
      error={fault()}
      readOnly={isFixed}
      onChange={({ currentTarget: { value: text } }) => set(text === "" ? undefined : text)}
    />
  );
}

function Toggle({ label, value, set, isFixed }: Given<boolean>) {
  return (
    <Switch
      label={label}
      checked={value}
      disabled={isFixed}
      onChange={(event) => set(event.currentTarget.checked)}
    />
  );
}

type AmountProps = Given<number> & { least: number; most: number; isMs?: boolean };

function Amount({ label, value, set, fault, isFixed, least, most, isMs }: AmountProps) {
  const unit = isMs === true ? 1_000 : 1;
  return (
    <NumberInput
      label={label}
      suffix={isMs === true ? " s" : ""}
      min={least}
      max={most}
      step={1}
      decimalScale={isMs === true ? 1 : 0}
      value={value / unit}
      error={fault()}
      readOnly={isFixed}
      onChange={(next) => typeof next === "number" && set(Math.round(next * unit))}
    />
  );
}

type OptionsProps = Given<string> & { options: readonly string[] };

function Options({ name, label, value, set, fault, isFixed, options }: OptionsProps) {
  const { t } = useTranslation("ura");
  const told = (one: string) =>
    name === "method" ? one : t(`option.${name}.${one}` as "option.cause.normal");
  return (
    <NativeSelect
      label={label}
      value={value}
      error={fault()}
      disabled={isFixed}
      onChange={(event) => set(event.currentTarget.value)}
    >
      {options.map((one) => (
        <option key={one} value={one}>
          {told(one)}
        </option>
      ))}
    </NativeSelect>
  );
}

function Calendar({ label, value, set, fault, isFixed }: Given<Parts["CalendarRef"]>) {
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      <Hours value={value} change={set} fault={fault()} isFixed={isFixed} />
    </div>
  );
}

type Named = { id: string; name: string };

type PickProps = Given<string> & { all: readonly Named[] };

function Pick({ label, value, set, fault, isFixed, all }: PickProps) {
  const { t } = useTranslation("ura");
  return (
    <NativeSelect
      label={label}
      value={value}
      error={fault()}
      disabled={isFixed}
      onChange={(event) => set(event.currentTarget.value)}
    >
      {!all.some((one) => one.id === value) && <option value={value}>{t("editor.pick")}</option>}
      {all.map((one) => (
        <option key={one.id} value={one.id}>
          {one.name}
        </option>
      ))}
    </NativeSelect>
  );
}

function Service(given: Given<string>) {
  const { data: all = [] } = useQuery(services);
  return <Pick {...given} all={all} />;
}

function Other(given: Given<string>) {
  const { data: all = [] } = useQuery(flows);
  return <Pick {...given} all={all} />;
}

const KEYS = [..."1234567890*#"];

function KeyField({ label, value, set, fault, isFixed }: Given<string | null | undefined>) {
  const { t } = useTranslation("ura");
  return (
    <NativeSelect
      label={label}
      value={value ?? ""}
      error={fault()}
      disabled={isFixed}
      // A step may say that no key has this meaning, where one has it by itself.
      onChange={({ currentTarget: { value: key } }) =>
        set((key === "" ? null : key) as string | undefined)
      }
    >
      <option value="">{t("editor.noKey")}</option>
      {KEYS.map((key) => (
        <option key={key} value={key}>
          {key}
        </option>
      ))}
    </NativeSelect>
  );
}

function Row({
  children,
  remove,
  isFixed,
}: {
  children: ReactNode;
  remove: () => void;
  isFixed: boolean;
}) {
  const { t } = useTranslation("ura");
  return (
    <div className={css.row}>
      {children}
      {!isFixed && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t("editor.drop")}
          onClick={remove}
        >
          <IconX size={16} aria-hidden="true" />
        </ActionIcon>
      )}
    </div>
  );
}

function More({ label, add }: { label: string; add: () => void }) {
  return (
    <Button
      className={css.more ?? ""}
      variant="subtle"
      size="compact-sm"
      leftSection={<IconPlus size={14} aria-hidden="true" />}
      onClick={add}
    >
      {label}
    </Button>
  );
}

/** The list with one changed, or gone. */
function amended<T>(list: readonly T[], place: number, next?: T): T[] {
  return list.flatMap((one, at) => (at !== place ? [one] : next === undefined ? [] : [next]));
}

function Choices(given: Given<Parts["Choice"][] | undefined>) {
  const { t } = useTranslation("ura");
  const { label, value = [], set, fault, document, names, isFixed } = given;
  const free = KEYS.find((key) => !value.some((one) => one.key === key));
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      {value.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a key may stand twice until it is mended; the place is what is meant.
        <Row key={place} isFixed={isFixed} remove={() => set(amended(value, place))}>
          <NativeSelect
            className={css.keyOf ?? ""}
            aria-label={t("editor.key")}
            value={one.key}
            disabled={isFixed}
            error={fault(`/${place}/key`)}
            onChange={(event) =>
              set(amended(value, place, { ...one, key: event.currentTarget.value }))
            }
          >
            {KEYS.map((key) => (
              <option key={key}>{key}</option>
            ))}
          </NativeSelect>
          <NativeSelect
            className={css.wide ?? ""}
            aria-label={t("editor.leads", { key: one.key })}
            value={document.nodes[one.to] === undefined ? "" : one.to}
            disabled={isFixed}
            error={fault(`/${place}/to`)}
            onChange={(event) =>
              set(amended(value, place, { ...one, to: event.currentTarget.value }))
            }
          >
            <option value="">{t("editor.nowhere")}</option>
            {Object.keys(document.nodes).map((id) => (
              <option key={id} value={id}>
                {names.told(id)}
              </option>
            ))}
          </NativeSelect>
        </Row>
      ))}
      {!isFixed && free !== undefined && (
        <More label={t("editor.addKey")} add={() => set([...value, { key: free, to: "" }])} />
      )}
    </div>
  );
}

const OPERATORS: readonly Parts["Operator"][] = [
  "equal",
  "not-equal",
  "less",
  "at-most",
  "greater",
  "at-least",
  "starts-with",
  "ends-with",
  "contains",
  "empty",
  "not-empty",
];

function Cases({ label, value, set, fault, document, isFixed }: Given<Parts["Case"][]>) {
  const { t } = useTranslation("ura");
  const first = { variable: "call.from", is: "starts-with" as const, value: "" };
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      {value.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: cases are told apart by their place.
        <fieldset key={place} className={css.case}>
          <legend>{t("exit.case", { mark: place + 1 })}</legend>
          {one.all.map((comparison, at) => (
            <Compared
              // biome-ignore lint/suspicious/noArrayIndexKey: comparisons are told apart by their place.
              key={at}
              value={comparison}
              document={document}
              fault={fault(`/${place}/all/${at}`)}
              isFixed={isFixed}
              set={(next) =>
                set(amended(value, place, { ...one, all: amended(one.all, at, next) }))
              }
            />
          ))}
          {!isFixed && (
            <div className={css.pair}>
              <More
                label={t("editor.addComparison")}
                add={() => set(amended(value, place, { ...one, all: [...one.all, first] }))}
              />
              <More label={t("editor.dropCase")} add={() => set(amended(value, place))} />
            </div>
          )}
        </fieldset>
      ))}
      {!isFixed && (
        <More label={t("editor.addCase")} add={() => set([...value, { all: [first], to: "" }])} />
      )}
    </div>
  );
}

type ComparedProps = {
  value: Parts["Comparison"];
  set: (next: Parts["Comparison"] | undefined) => void;
  document: Document;
  fault: string | undefined;
  isFixed: boolean;
};

function Compared({ value, set, document, fault, isFixed }: ComparedProps) {
  const { t } = useTranslation("ura");
  const known = variables(document);
  return (
    <Row isFixed={isFixed} remove={() => set(undefined)}>
      <div className={css.compared}>
        <NativeSelect
          aria-label={t("field.variable")}
          value={value.variable}
          error={fault}
          disabled={isFixed}
          onChange={(event) => set({ ...value, variable: event.currentTarget.value })}
        >
          {!known.includes(value.variable) && <option>{value.variable}</option>}
          {known.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </NativeSelect>
        <NativeSelect
          aria-label={t("editor.comparison")}
          value={value.is}
          disabled={isFixed}
          onChange={(event) =>
            set({ ...value, is: event.currentTarget.value as Parts["Operator"] })
          }
        >
          {OPERATORS.map((one) => (
            <option key={one} value={one}>
              {t(`operator.${one}`)}
            </option>
          ))}
        </NativeSelect>
        {value.is !== "empty" && value.is !== "not-empty" && (
          <TextInput
            aria-label={t("field.value")}
            value={value.value ?? ""}
            readOnly={isFixed}
            onChange={(event) => set({ ...value, value: event.currentTarget.value })}
          />
        )}
      </div>
    </Row>
  );
}

const skills = queryOptions({
  queryKey: ["skills"],
  queryFn: async () => {
    const params = { query: { limit: 500 } };
    return (await asked(api.GET("/api/v1/skills", { params }))).items;
  },
});

function Skills({
  label,
  value = [],
  set,
  fault,
  isFixed,
}: Given<Parts["SkillWanted"][] | undefined>) {
  const { t } = useTranslation("ura");
  const { data: all = [] } = useQuery(skills);
  const left = all.find(({ id }) => !value.some((one) => one.skill === id));
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      {value.map((one, place) => (
        <Row key={one.skill} isFixed={isFixed} remove={() => set(amended(value, place))}>
          <NativeSelect
            className={css.wide ?? ""}
            aria-label={label}
            value={one.skill}
            error={fault(`/${place}`)}
            disabled={isFixed}
            onChange={(event) =>
              set(amended(value, place, { ...one, skill: event.currentTarget.value }))
            }
          >
            {all.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </NativeSelect>
          <NumberInput
            className={css.keyOf ?? ""}
            aria-label={t("editor.level")}
            min={1}
            max={100}
            value={one.level}
            readOnly={isFixed}
            onChange={(level) =>
              typeof level === "number" && set(amended(value, place, { ...one, level }))
            }
          />
        </Row>
      ))}
      {!isFixed && left !== undefined && (
        <More
          label={t("editor.addSkill")}
          add={() => set([...value, { skill: left.id, level: 1 }])}
        />
      )}
      {all.length === 0 && <p className={css.hint}>{t("editor.noSkills")}</p>}
    </div>
  );
}

function Retry({ label, value, set, fault, document, isFixed }: Given<Parts["Retry"]>) {
  const { t } = useTranslation("ura");
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      <NumberInput
        label={t("editor.attempts")}
        min={1}
        max={10}
        value={value.attempts}
        error={fault("/attempts")}
        readOnly={isFixed}
        onChange={(attempts) => typeof attempts === "number" && set({ ...value, attempts })}
      />
      <Says
        label={t("editor.saysThen")}
        value={value.say}
        change={(say) => set({ ...value, say })}
        document={document}
        fault={fault("/say")}
        isFixed={isFixed}
      />
    </div>
  );
}

function Destination({ value, set, fault, isFixed }: Given<Parts["Destination"]>) {
  const { t } = useTranslation("ura");
  const isNumber = "number" in value;
  const to = isNumber ? value.number : value.extension;
  const become = (isNumber: boolean, to: string) =>
    set(isNumber ? { number: to } : { extension: to });
  return (
    <div className={css.pair}>
      <NativeSelect
        label={t("field.to")}
        value={isNumber ? "number" : "extension"}
        disabled={isFixed}
        onChange={(event) => become(event.currentTarget.value === "number", to)}
      >
        <option value="number">{t("editor.number")}</option>
        <option value="extension">{t("editor.extension")}</option>
      </NativeSelect>
      <TextInput
        label={t(isNumber ? "editor.number" : "editor.extension")}
        value={to}
        error={fault()}
        readOnly={isFixed}
        onChange={(event) => become(isNumber, event.currentTarget.value)}
      />
    </div>
  );
}

type Map = Readonly<Record<string, string>>;

function Pairs({ name, label, value = {}, set, fault, isFixed }: Given<Map | undefined>) {
  const { t } = useTranslation("ura");
  const rows = Object.entries(value);
  const become = (next: readonly (readonly [string, string])[]) => set(Object.fromEntries(next));
  const [left, right] =
    name === "values"
      ? [t("field.variable"), t("editor.pointer")]
      : [t("editor.header"), t("field.value")];
  return (
    <div className={css.field}>
      <h3>{label}</h3>
      {rows.map(([key, one], place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the name itself is what is written.
        <Row key={place} isFixed={isFixed} remove={() => become(amended(rows, place))}>
          <TextInput
            aria-label={left}
            placeholder={left}
            value={key}
            error={fault(`/${key}`)}
            readOnly={isFixed}
            onChange={(event) =>
              become(amended(rows, place, [event.currentTarget.value, one] as [string, string]))
            }
          />
          <TextInput
            className={css.wide ?? ""}
            aria-label={right}
            placeholder={right}
            value={one}
            readOnly={isFixed}
            onChange={(event) =>
              become(amended(rows, place, [key, event.currentTarget.value] as [string, string]))
            }
          />
        </Row>
      ))}
      {!isFixed && value[""] === undefined && (
        <More label={t("editor.add")} add={() => become([...rows, ["", ""]])} />
      )}
    </div>
  );
}

const ACCEPTED = ["cpf", "cnpj", "cpf-or-cnpj", "card", "date"] as const;

function Accept({ label, value, set, fault, isFixed }: Given<Parts["Accept"] | null | undefined>) {
  const { t } = useTranslation("ura");
  const isPattern = typeof value === "object" && value !== null;
  const chosen = isPattern ? "pattern" : (value ?? "");
  return (
    <>
      <NativeSelect
        label={label}
        value={chosen}
        disabled={isFixed}
        onChange={({ currentTarget: { value: one } }) =>
          set(one === "" ? undefined : one === "pattern" ? { pattern: "" } : (one as "cpf"))
        }
      >
        <option value="">{t("option.accept.any")}</option>
        {ACCEPTED.map((one) => (
          <option key={one} value={one}>
            {t(`option.accept.${one}`)}
          </option>
        ))}
        <option value="pattern">{t("option.accept.pattern")}</option>
      </NativeSelect>
      {isPattern && (
        <TextInput
          label={t("option.accept.pattern")}
          description={t("editor.pattern")}
          value={value.pattern}
          error={fault()}
          readOnly={isFixed}
          onChange={(event) => set({ pattern: event.currentTarget.value.toUpperCase() })}
        />
      )}
    </>
  );
}

function Confirm(given: Given<Parts["Confirm"] | null | undefined>) {
  const { t } = useTranslation("ura");
  const { label, value, set, fault, document, isFixed } = given;
  const first: Parts["Confirm"] = { say: [{ kind: "text", text: "" }], yes: "1", no: "2" };
  return (
    <div className={css.field}>
      <Switch
        label={label}
        checked={value != null}
        disabled={isFixed}
        onChange={(event) => set(event.currentTarget.checked ? first : undefined)}
      />
      {value != null && (
        <>
          <div className={css.pair}>
            {(["yes", "no"] as const).map((which) => (
              <NativeSelect
                key={which}
                label={t(`editor.${which}`)}
                value={value[which]}
                disabled={isFixed}
                onChange={(event) => set({ ...value, [which]: event.currentTarget.value })}
              >
                {KEYS.map((key) => (
                  <option key={key}>{key}</option>
                ))}
              </NativeSelect>
            ))}
          </div>
          <Says
            label={t("field.say")}
            value={value.say}
            change={(say) => set({ ...value, say })}
            document={document}
            fault={fault("/say")}
            isFixed={isFixed}
          />
        </>
      )}
    </div>
  );
}
