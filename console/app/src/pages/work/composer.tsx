import { ActionIcon, Button, Loader, Tooltip, UnstyledButton } from "@mantine/core";
import {
  IconAlertCircle,
  IconClock,
  IconFile,
  IconPaperclip,
  IconSend2,
  IconTemplate,
  IconX,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import {
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  lazy,
  Suspense,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Work } from "../../api/client";
import { composer } from "../../api/questions";
import { send } from "../../live/sending";
import { useStore } from "../../live/store";
import { useShortcuts } from "../../parts/keys";
import { long, useNow } from "../../parts/time";
import { speaking } from "../../words/words";
import { short } from "./card";
import { carries } from "./carries";
import css from "./composer.module.css";
import { draft, keepDraft } from "./drafts";
import { type Enclosure, useEnclosures } from "./enclosures";
import { asked as above, type Heading, isSound, read, UNSAID } from "./heading";
import { useQuick } from "./quick";
import { reply, replying } from "./replying";

const Above = lazy(speaking("agent", () => import("./above")));
const Emoji = lazy(speaking("agent", () => import("./emoji")));
const NoteBox = lazy(speaking("agent", () => import("./note")));
const Templates = lazy(speaking("agent", () => import("./templates")));

type Props = { work: Work; name: string; wrapUp: () => void };

/** Where one writes to the customer; or why not now. */
export function Composer({ work, name, wrapUp }: Props) {
  const { t } = useTranslation();
  const [picks, setPicks] = useState(false);
  const [notes, setNotes] = useState(false);
  const { data: may } = useQuery(composer(work.interaction));
  const now = useNow(15_000);
  const left = may?.open_left_ms == null ? null : may.open_left_ms - (now - may.asked_ms);
  const isOpen = may === undefined || (may.open && (left === null || left > 0));
  const can = carries(may?.capabilities);
  useShortcuts({ "alt+t": () => setPicks(can.templates), "alt+n": () => setNotes((is) => !is) });
  const isWrapping = work.doing === "wrapping up";
  return (
    <footer className={css.foot}>
      <div className={css.tabs}>
        <UnstyledButton aria-pressed={!notes} onClick={() => setNotes(false)}>
          {t("composer.message")}
        </UnstyledButton>
        <UnstyledButton aria-pressed={notes} title="Alt N" onClick={() => setNotes(true)}>
          {t("composer.note")}
        </UnstyledButton>
      </div>
      <Suspense>{notes && <NoteBox interaction={work.interaction} />}</Suspense>
      {isWrapping && !notes && (
        <div className={css.instead}>
          <p>{t("composer.wrapping")}</p>
          <Button onClick={wrapUp}>{t("work.wrapUp")}</Button>
        </div>
      )}
      {!isWrapping && !isOpen && !notes && (
        <div className={css.instead}>
          <p>{t("composer.closed")}</p>
          {can.templates && (
            <Button leftSection={<IconTemplate size={17} />} onClick={() => setPicks(true)}>
              {t("composer.choose")}
            </Button>
          )}
        </div>
      )}
      {!isWrapping && isOpen && !notes && (
        <Box
          work={work}
          name={name}
          can={can}
          left={left}
          openTemplates={can.templates ? () => setPicks(true) : undefined}
        />
      )}
      <Suspense>
        {picks && may !== undefined && (
          <Templates work={work} channel={may.channel} close={() => setPicks(false)} />
        )}
      </Suspense>
    </footer>
  );
}

/** How often the customer is told that one types, in milliseconds: it is believed for six seconds. */
const TYPING_EVERY_MS = 3_000;

type BoxProps = {
  work: Work;
  name: string;
  can: ReturnType<typeof carries>;
  left: number | null;
  openTemplates: (() => void) | undefined;
};

function Box({ work, name, can, left, openTemplates }: BoxProps) {
  const { t } = useTranslation();
  const { interaction } = work;
  const [text, setText] = useState(() => draft(interaction));
  const [heading, setHeading] = useState(() => read(draft(`${interaction}.mail`)));
  const isMail = work.channel?.kind === "email";
  const [caret, setCaret] = useState(text.length);
  const [isOver, setIsOver] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const said = useRef(0);
  const enclosures = useEnclosures(interaction, can.files);
  useShortcuts({ "alt+r": () => field.current?.focus() });
  useEffect(() => field.current?.focus(), []);
  useGrowth(field, text);

  const write = (next: string) => {
    setText(next);
    keepDraft(interaction, next);
    if (!can.typing || next === "" || Date.now() - said.current < TYPING_EVERY_MS) return;
    said.current = Date.now();
    const params = { path: { id: interaction } };
    const body = { kind: "typing", on: true } as const;
    // Nobody waits for it.
    asked(api.POST("/api/v1/interactions/{id}/signals", { params, body })).catch(() => {});
  };

  const head = (next: Heading) => {
    setHeading(next);
    keepDraft(`${interaction}.mail`, next === UNSAID ? "" : JSON.stringify(next));
  };

  const quick = useQuick(work, text, caret, (next, place) => {
    write(next);
    setCaret(place);
    // The caret moves once the text is there.
    requestAnimationFrame(() => field.current?.setSelectionRange(place, place));
  });

  const trimmed = text.trim();
  const beyond = can.length(trimmed) - can.textMax;
  const files = enclosures.all.flatMap((one) => (one.upload === undefined ? [] : [one]));
  const isReady =
    (trimmed !== "" || files.length > 0) &&
    beyond <= 0 &&
    files.length === enclosures.all.length &&
    isSound(heading);

  const answers = useStore(replying, (value) => value[interaction]);
  const put = (sign: string) => {
    const place = caret + sign.length;
    write(text.slice(0, caret) + sign + text.slice(caret));
    setCaret(place);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(place, place);
    });
  };
  useEffect(() => {
    if (answers !== undefined) field.current?.focus();
  }, [answers]);

  const go = () => {
    if (!isReady) return;
    const mail = isMail ? above(heading) : undefined;
    const attachments = files.flatMap((one) => one.upload ?? []);
    send({
      interaction,
      text: trimmed,
      files: files.map((one) => one.name),
      body: {
        ...(trimmed === "" ? {} : { text: trimmed }),
        ...(attachments.length === 0 ? {} : { attachments }),
        ...(answers === undefined ? {} : { reply_to: answers.id }),
        ...(mail === undefined ? {} : { mail }),
      },
    });
    said.current = 0;
    reply(interaction, undefined);
    setText("");
    keepDraft(interaction, "");
    head(UNSAID);
    enclosures.clear();
  };
  const pressed = (event: KeyboardEvent) => {
    if (quick.pressed(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    go();
  };
  const pasted = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    enclosures.add(event.clipboardData.files);
  };
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    enclosures.add(event.dataTransfer.files);
  };
  const dragged = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setIsOver(true);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files are picked by a button as well.
    <div
      className={css.box}
      data-over={isOver}
      onDrop={dropped}
      onDragOver={dragged}
      onDragLeave={() => setIsOver(false)}
    >
      {quick.list}
      {isOver && <p className={css.drop}>{t("composer.drop")}</p>}
      {answers !== undefined && (
        <p className={css.answers}>
          <span>{short(t, answers)}</span>
          <ActionIcon
            variant="transparent"
            color="gray"
            aria-label={t("talk.noReply")}
            onClick={() => reply(interaction, undefined)}
          >
            <IconX size={16} />
          </ActionIcon>
        </p>
      )}
      <Suspense>
        {isMail && <Above interaction={interaction} heading={heading} change={head} />}
      </Suspense>
      <textarea
        ref={field}
        className={css.field}
        rows={1}
        value={text}
        placeholder={t("composer.hint")}
        aria-label={t("composer.label", { name })}
        {...quick.field}
        onChange={(event) => write(event.currentTarget.value)}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={pressed}
        onPaste={pasted}
      />
      {enclosures.all.length > 0 && (
        <ul className={css.files}>
          {enclosures.all.map((one) => (
            <Chip key={one.id} of={one} drop={() => enclosures.drop(one.id)} />
          ))}
        </ul>
      )}
      <div className={css.tools}>
        <Tooltip label={t("composer.attach")}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t("composer.attach")}
            onClick={() => picker.current?.click()}
          >
            <IconPaperclip size={19} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={({ currentTarget }) => {
            enclosures.add(currentTarget.files);
            currentTarget.value = "";
          }}
        />
        <Suspense>
          <Emoji put={put} />
        </Suspense>
        {openTemplates !== undefined && (
          <Tooltip label={`${t("composer.templates")} (Alt+T)`}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t("composer.templates")}
              onClick={openTemplates}
            >
              <IconTemplate size={19} stroke={1.7} />
            </ActionIcon>
          </Tooltip>
        )}
        <span className={css.hint}>
          {beyond > 0 ? (
            <strong className={css.beyond}>{t("composer.long", { count: beyond })}</strong>
          ) : left !== null ? (
            <>
              <IconClock size={14} stroke={1.7} aria-hidden="true" />
              {t("composer.left", { time: long(t, left) })}
            </>
          ) : (
            <span className={css.keys}>{t("composer.keys")}</span>
          )}
        </span>
        <Button
          rightSection={<IconSend2 size={17} stroke={1.8} />}
          aria-disabled={!isReady}
          data-ready={isReady}
          className={css.send}
          onClick={go}
        >
          {t("composer.send")}
        </Button>
      </div>
    </div>
  );
}

function Chip({ of, drop }: { of: Enclosure; drop: () => void }) {
  const { t } = useTranslation();
  return (
    <li className={css.chip} data-bad={of.why !== undefined}>
      {of.why !== undefined ? (
        <IconAlertCircle size={16} aria-hidden="true" />
      ) : of.upload === undefined ? (
        <Loader size={14} aria-label={t("composer.uploading", { name: of.name })} />
      ) : (
        <IconFile size={16} stroke={1.7} aria-hidden="true" />
      )}
      <span>
        {of.name}
        {of.why !== undefined && <small role="alert">{of.why}</small>}
      </span>
      <ActionIcon
        variant="transparent"
        color="gray"
        size="sm"
        aria-label={t("composer.remove", { name: of.name })}
        onClick={drop}
      >
        <IconX size={15} />
      </ActionIcon>
    </li>
  );
}

/** The field is as high as what stands in it, up to what the style says. */
function useGrowth(field: { current: HTMLTextAreaElement | null }, text: string) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows from the text.
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
}
