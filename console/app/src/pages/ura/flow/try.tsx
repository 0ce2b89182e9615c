import { ActionIcon, Button, SegmentedControl, TextInput, UnstyledButton } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { useWhy } from "../../../parts/notices";
import type { Document } from "../document";
import { Listen, type Sound } from "../listen";
import { calendars } from "../questions";
import editor from "./editor.module.css";
import { Hear } from "./hear";
import { asField, moments } from "./moments";
import css from "./try.module.css";

type Outcome = Schemas["Outcome"];
type Happened = Schemas["TrialStep"];
type Exits = Readonly<Record<string, string>>;

const trial = (id: string, revision: number, at: string, keys: readonly string[], exits: Exits) =>
  queryOptions({
    queryKey: ["flows", id, "try", revision, at, keys, exits],
    staleTime: 0,
    queryFn: () => {
      const params = { path: { id } };
      const at_ms = at === "" ? null : new Date(at).getTime();
      const body = { at_ms, keys: [...keys], exits: exits as Record<string, never> };
      return asked(api.POST("/api/v1/flows/{id}/try", { params, body }));
    },
  });

type Props = {
  id: string;
  document: Document;
  /** The draft that is tried, once it is saved. */
  revision: number;
  isSaved: boolean;
  /** The steps that were come to, in order. */
  show: (path: readonly string[]) => void;
};

const WAYS = ["silent", "heard"] as const;

type Way = (typeof WAYS)[number];

/** The draft tried before anybody hears it: without a call, or by a call to oneself. */
export function Try({ close, mayHear, ...rest }: Props & { mayHear: boolean; close: () => void }) {
  const { t } = useTranslation("ura");
  const [way, setWay] = useState<Way>("silent");
  return (
    <aside
      className={`${editor.panel} ${css.try}`}
      data-way={way}
      aria-label={t(`try.titleOf.${way}`)}
    >
      <header>
        <div>
          <h2>{t(`try.titleOf.${way}`)}</h2>
          {way === "silent" && <p>{t("try.text")}</p>}
        </div>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t("try.close")}
          onClick={close}
        >
          <IconX size={18} aria-hidden="true" />
        </ActionIcon>
      </header>
      {mayHear && (
        <SegmentedControl
          size="xs"
          fullWidth
          aria-label={t("try.way")}
          data={WAYS.map((value) => ({ value, label: t(`try.ways.${value}`) }))}
          value={way}
          onChange={(chosen) => setWay(chosen as Way)}
        />
      )}
      {way === "silent" ? <Silent {...rest} /> : <Hear {...rest} />}
    </aside>
  );
}

/** A call that is not made: at any moment, with typed keys, step by step. */
function Silent({ id, document, revision, isSaved, show }: Props) {
  const { t } = useTranslation("ura");
  const why = useWhy();
  const [at, setAt] = useState("");
  const [keys, setKeys] = useState<readonly string[]>([]);
  const [exits, setExits] = useState<Exits>({});
  const { data: run, error } = useQuery({
    ...trial(id, revision, at, keys, exits),
    enabled: isSaved,
    placeholderData: keepPreviousData,
  });
  const end = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came is what is shown.
  useEffect(() => {
    if (run === undefined) return;
    const ours = run.steps.filter((one) => one.did === "entered" && one.flow === id);
    show(ours.map((one) => one.node));
    end.current?.scrollIntoView({ block: "nearest" });
  }, [run]);
  useEffect(() => () => show([]), [show]);
  const anew = () => {
    setKeys([]);
    setExits({});
  };
  return (
    <>
      <When
        document={document}
        value={at}
        choose={(next) => {
          setAt(next);
          anew();
        }}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <div className={css.log} role="log" aria-label={t("try.log")} tabIndex={0}>
        {run !== undefined && <Told run={run} document={document} />}
        {error !== null && <p className={editor.fault}>{why(error)}</p>}
        <div ref={end} />
      </div>
      {run !== undefined && (
        <Next
          key={keys.length}
          end={run.end}
          type={(typed) => setKeys([...keys.slice(0, run.keys_taken), typed])}
          happen={(what) => setExits({ ...exits, [run.end.node]: what })}
        />
      )}
      <Button variant="default" onClick={anew} disabled={keys.length === 0 && run === undefined}>
        {t("try.again")}
      </Button>
    </>
  );
}

type WhenProps = { document: Document; value: string; choose: (at: string) => void };

/** The clock of the call: now, or any other moment. */
function When({ document, value, choose }: WhenProps) {
  const { t } = useTranslation("ura");
  const { data: all = [] } = useQuery(calendars);
  const dates = Object.values(document.nodes).flatMap((node) => {
    if (node.kind !== "hours") return [];
    if ("inline" in node.calendar) return node.calendar.inline.dates ?? [];
    const { id } = node.calendar;
    const hours = all.find((one) => one.id === id)?.hours as { dates?: OwnDates } | undefined;
    return hours?.dates ?? [];
  });
  const names = {
    sunday: t("try.sunday"),
    christmas: t("try.christmas"),
    carnival: t("try.carnival"),
  };
  return (
    <div className={css.when}>
      <TextInput
        type="datetime-local"
        label={t("try.when")}
        value={value}
        onChange={(event) => choose(event.currentTarget.value)}
      />
      <div className={css.moments}>
        <Button
          size="compact-sm"
          variant={value === "" ? "light" : "default"}
          aria-pressed={value === ""}
          onClick={() => choose("")}
        >
          {t("try.now")}
        </Button>
        {moments(new Date(), dates, names).map(({ name, at }) => (
          <Button
            key={`${name}${at.getTime()}`}
            size="compact-sm"
            variant={value === asField(at) ? "light" : "default"}
            aria-pressed={value === asField(at)}
            onClick={() => choose(asField(at))}
          >
            {name}
          </Button>
        ))}
      </div>
    </div>
  );
}

type OwnDates = { name: string; on: string; every_year?: boolean }[];

/** What is worth a line: what is only passed through is lit in the drawing. */
const SILENT = new Set(["entered", "heard", "set"]);

function Told({ run, document }: { run: Outcome; document: Document }) {
  const { t } = useTranslation("ura");
  const language = document.language ?? "pt-BR";
  const told = run.steps.filter((one) => !SILENT.has(one.did ?? ""));
  const sound = (said: Schemas["TrialSaid"]): Sound | undefined => {
    if (said.prompt != null) return { prompt: said.prompt };
    if (said.text === "") return undefined;
    const voice = said.voice ?? document.voice;
    return { text: said.text, language, ...(voice == null ? {} : { voice }) };
  };
  return (
    <ol>
      {told.map((one, place) =>
        one.did === "said" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: what happened keeps its place.
          <li key={place} className={css.said}>
            {one.say?.map((said, part) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice.
              <p key={part}>
                <span>
                  {said.text === "" ? t("try.recording", { name: said.name ?? "" }) : said.text}
                </span>
                <Listen
                  sound={sound(said)}
                  label={t("message.listen", { name: said.text })}
                  size={28}
                />
              </p>
            ))}
          </li>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: what happened keeps its place.
          <li key={place} className={css.did} data-is={one.did}>
            <Did one={one} />
          </li>
        ),
      )}
      <li className={css.end}>
        {t(`try.end.${run.end.how}` as "try.end.queued", {
          name: run.end.name ?? "",
          to: run.end.to ?? "",
        })}
      </li>
    </ol>
  );
}

function Did({ one }: { one: Happened }) {
  const { t } = useTranslation("ura");
  if (one.did === "hours") {
    if (one.open === true) return t("exit.open");
    return one.holiday == null ? t("exit.closed") : t("try.closedFor", { name: one.holiday });
  }
  return t(`try.did.${one.did}` as "try.did.pressed", {
    key: one.key ?? one.digits ?? "",
    name: one.name ?? "",
    to: one.to ?? one.url ?? "",
  });
}

type NextProps = {
  end: Outcome["end"];
  type: (typed: string) => void;
  happen: (what: string) => void;
};

/** What may happen next: keys, silence, or what the other side does. */
function Next({ end, type, happen }: NextProps) {
  const { t } = useTranslation("ura");
  const [typed, setTyped] = useState("");
  if (end.how === "queued")
    return <Outside ways={["answered", "unanswered", "closed"]} {...{ happen }} />;
  if (end.how === "dialled") {
    return <Outside ways={["answered", "busy", "no-answer", "failed"]} {...{ happen }} />;
  }
  if (end.how !== "waits-for-key") return null;
  const isDigits = end.digits != null;
  const press = (key: string) => (isDigits ? setTyped(typed + key) : type(key));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    type(typed);
  };
  return (
    <form className={css.keypad} onSubmit={submit}>
      {isDigits && (
        <TextInput
          aria-label={t("try.digits")}
          placeholder={t("try.digits")}
          inputMode="tel"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value.replaceAll(/[^0-9*#]/g, ""))}
        />
      )}
      <div className={css.keys}>
        {[..."123456789*0#"].map((key) => (
          <UnstyledButton
            key={key}
            className={css.key}
            aria-label={t("menu.key", { key })}
            data-leads={isDigits || (end.keys ?? []).includes(key)}
            onClick={() => press(key)}
          >
            {key}
          </UnstyledButton>
        ))}
      </div>
      <div className={css.more}>
        <Button variant="default" size="xs" onClick={() => type("")}>
          {t("try.silence")}
        </Button>
        {isDigits && (
          <Button type="submit" size="xs" disabled={typed === ""}>
            {t("try.send")}
          </Button>
        )}
      </div>
    </form>
  );
}

type OutsideProps = {
  ways: readonly ("answered" | "unanswered" | "closed" | "busy" | "no-answer" | "failed")[];
  happen: (what: string) => void;
};

function Outside({ ways, happen }: OutsideProps) {
  const { t } = useTranslation("ura");
  return (
    <div className={css.outside}>
      <h3>{t("try.next")}</h3>
      {ways.map((one) => (
        <Button key={one} variant="default" size="xs" onClick={() => happen(one)}>
          {t(`try.outside.${one}`)}
        </Button>
      ))}
    </div>
  );
}
