import { Button, Modal, Skeleton, Textarea, TextInput } from "@mantine/core";
import { IconHeadset, IconPhone, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { targets } from "../../api/questions";
import { Avatar } from "../../parts/avatar";
import { type Found, find, next, type To, takes } from "./find";
import css from "./targets.module.css";

type Props = {
  title: string;
  /** What the button says. */
  does: string;
  /** Whether somebody outside can be called as well. */
  numbers: boolean;
  /** Whether a word goes with it. */
  note: boolean;
  isGoing: boolean;
  go: (to: To, note: string) => void;
  close: () => void;
};

/** Whom one hands something to, or asks: found by a few letters. */
export default function Targets({ title, does, numbers, note, isGoing, go, close }: Props) {
  const { t } = useTranslation("phone");
  const { t: core } = useTranslation();
  // People come and go while one looks.
  const { data: all } = useQuery({ ...targets, staleTime: 0, refetchInterval: REFRESH_MS });
  const [typed, setTyped] = useState("");
  // By whom it is, not by where they stand: people come and go above them.
  const [chosen, setChosen] = useState<string>();
  const [word, setWord] = useState("");
  const id = useId();
  const found = find(all, typed, numbers);
  const place =
    chosen === undefined ? next(found, -1, 1) : found.findIndex((one) => key(one) === chosen);
  const picked = found[place];
  const isReady = picked !== undefined && takes(picked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other letters mean others.
  useEffect(() => setChosen(undefined), [typed]);
  const choose = (one: Found | undefined) => one !== undefined && takes(one) && setChosen(key(one));
  const submit = () => isReady && go(picked.to, word.trim());
  const pressed = (event: KeyboardEvent) => {
    const step = ({ ArrowDown: 1, ArrowUp: -1 } as const)[event.key as "ArrowDown"];
    if (step !== undefined) choose(found[next(found, place, step)]);
    else if (event.key === "Enter") submit();
    else return;
    event.preventDefault();
  };
  const option = (at: number) => `${id}-${at}`;
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={460}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <div className={css.form}>
        <TextInput
          data-autofocus
          role="combobox"
          aria-expanded
          aria-controls={id}
          aria-activedescendant={picked === undefined ? undefined : option(place)}
          aria-label={t("target.search")}
          placeholder={numbers ? t("target.search") : t("target.searchInside")}
          leftSection={<IconSearch size={16} stroke={1.7} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={pressed}
        />
        <div id={id} role="listbox" aria-label={title} className={css.list}>
          {all === undefined && <Skeleton height={220} />}
          {all !== undefined && found.length === 0 && (
            <p className={css.none}>{numbers ? t("target.none") : t("target.nobody")}</p>
          )}
          {found.map((one, at) => (
            <div key={key(one)} className={css.group}>
              {one.kind !== found[at - 1]?.kind && one.kind !== "number" && (
                <p className={css.title} aria-hidden="true">
                  {t(one.kind === "agent" ? "target.agents" : "target.services")}
                </p>
              )}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field, which keeps the focus, has the keys. */}
              <div
                id={option(at)}
                role="option"
                tabIndex={-1}
                aria-selected={at === place}
                aria-disabled={!takes(one)}
                className={css.one}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(one)}
                onDoubleClick={submit}
              >
                <One of={one} />
              </div>
            </div>
          ))}
        </div>
        {note && (
          <Textarea
            label={t("target.note")}
            placeholder={t("target.noteHint")}
            rows={2}
            maxLength={NOTE_MAX}
            value={word}
            onChange={(event) => setWord(event.currentTarget.value)}
          />
        )}
        <div className={css.foot}>
          <Button variant="default" onClick={close}>
            {core("close.cancel")}
          </Button>
          <Button disabled={!isReady} loading={isGoing} onClick={submit}>
            {does}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

/** How often is asked who is there, in milliseconds. */
const REFRESH_MS = 4_000;

/** As long as a note may be, in characters. */
const NOTE_MAX = 4_000;

/** Whom it is, whatever became of them. */
function key({ kind, to }: Found): string {
  return `${kind} ${JSON.stringify(to)}`;
}

function One({ of }: { of: Found }) {
  const { t } = useTranslation("phone");
  if (of.kind === "number") {
    return (
      <>
        <span className={css.icon}>
          <IconPhone size={17} stroke={1.7} />
        </span>
        <span className={css.name}>{t("target.number", { number: of.name })}</span>
      </>
    );
  }
  if (of.kind === "service") {
    return (
      <>
        <span className={css.icon}>
          <IconHeadset size={17} stroke={1.7} />
        </span>
        <span className={css.name}>{of.name}</span>
        <span className={css.state}>
          {of.there === 0 && <>{t("target.nobodyThere")} · </>}
          {t("target.waiting", { count: of.waiting ?? 0 })}
        </span>
      </>
    );
  }
  return (
    <>
      <Avatar name={of.name} size={30} />
      <span className={css.name}>{of.name}</span>
      <span className={css.state} data-state={of.state}>
        <i />
        {of.state !== undefined && t(`target.state.${of.state}`)}
        {!takes(of) && <> · {t("target.takesNone")}</>}
      </span>
    </>
  );
}
