import { Button, Modal, Skeleton, Textarea, TextInput } from "@mantine/core";
import { IconHeadset, IconPhone, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { targets } from "../../api/questions";
import { Avatar } from "../../parts/avatar";
import { type Found, find, type To } from "./find";
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
  const [chosen, setChosen] = useState(0);
  const [word, setWord] = useState("");
  const id = useId();
  const found = find(all, typed, numbers);
  const picked = found[chosen];
  // biome-ignore lint/correctness/useExhaustiveDependencies: other letters mean others.
  useEffect(() => setChosen(0), [typed]);
  const submit = () => picked !== undefined && go(picked.to, word.trim());
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: found.length - 1 }[event.key];
    if (step !== undefined && found.length > 0) setChosen((chosen + step) % found.length);
    else if (event.key === "Enter") submit();
    else return;
    event.preventDefault();
  };
  const option = (place: number) => `${id}-${place}`;
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
          aria-activedescendant={picked === undefined ? undefined : option(chosen)}
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
          {found.map((one, place) => (
            <div key={`${one.kind}${one.name}${JSON.stringify(one.to)}`} className={css.group}>
              {one.kind !== found[place - 1]?.kind && one.kind !== "number" && (
                <p className={css.title} aria-hidden="true">
                  {t(one.kind === "agent" ? "target.agents" : "target.services")}
                </p>
              )}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field, which keeps the focus, has the keys. */}
              <div
                id={option(place)}
                role="option"
                tabIndex={-1}
                aria-selected={place === chosen}
                className={css.one}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => setChosen(place)}
                onDoubleClick={() => go(one.to, word.trim())}
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
          <Button disabled={picked === undefined} loading={isGoing} onClick={submit}>
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
      </span>
    </>
  );
}
