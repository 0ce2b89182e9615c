// Where one writes: words, and files that are picked, pasted or dropped.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { size } from "../words.ts";
import { usePicture } from "./Bubble.tsx";
import { useShell, useWords } from "./context.ts";
import { Clip, Close, Document, Send } from "./icons.tsx";

export function Composer() {
  const shell = useShell();
  const words = useWords();
  const [text, setText] = useState(shell.unsent);
  const tray = useTray();
  const box = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const left = TEXT_MAX - [...text].length;
  const canSend = (text.trim() !== "" || tray.files.length > 0) && left >= 0;

  const change = (now: string) => {
    setText(now);
    shell.unsent = now;
  };
  const send = () => {
    if (!canSend) return;
    const said = text.trim();
    const isCaption = tray.files.length === 1 && said !== "" && said.length <= CAPTION_MAX;
    for (const file of tray.files) shell.attach(file, isCaption ? said : undefined);
    if (said !== "" && !isCaption) shell.say(said);
    tray.clear();
    change("");
    box.current?.focus();
  };
  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    // As high as what is in it; the style says how high at most.
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [text]);

  const files = shell.config.files;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {tray.isOver && <p class="drop">{words.dropHere}</p>}
      <p class="problem" role="alert">
        {tray.problem}
      </p>
      {tray.files.length > 0 && (
        <ul class="tray">
          {tray.files.map((file) => (
            <Chosen key={file.name + file.size} file={file} remove={() => tray.remove(file)} />
          ))}
        </ul>
      )}
      <div class="line">
        {files && (
          <>
            <button
              type="button"
              class="round"
              aria-label={words.attach}
              title={words.attach}
              onClick={() => picker.current?.click()}
            >
              <Clip />
            </button>
            <input
              type="file"
              multiple
              hidden
              accept={files.accept}
              ref={picker}
              onChange={({ currentTarget }) => {
                tray.add([...(currentTarget.files ?? [])]);
                currentTarget.value = "";
                box.current?.focus();
              }}
            />
          </>
        )}
        <textarea
          data-first
          ref={box}
          rows={1}
          value={text}
          aria-label={words.write}
          placeholder={shell.chat.messages.length > 0 ? words.write : words.writeNew}
          onInput={({ currentTarget }) => {
            change(currentTarget.value);
            shell.typed(currentTarget.value.trim() === "");
          }}
          onKeyDown={(event) => {
            // On a phone a new line is a new line; while a letter is composed the key is its.
            const isSend = event.key === "Enter" && !event.shiftKey && !event.isComposing;
            if (!isSend || COARSE.matches) return;
            event.preventDefault();
            send();
          }}
          onPaste={(event) => {
            const pasted = [...(event.clipboardData?.files ?? [])];
            if (pasted.length === 0 || !files) return;
            event.preventDefault();
            tray.add(pasted);
          }}
        />
        <button
          type="submit"
          class="round is-send"
          aria-label={words.send}
          title={words.send}
          aria-disabled={!canSend}
        >
          <Send />
        </button>
      </div>
      <p class="count" role="status">
        {left < 0 ? words.charactersOver(-left) : left <= COUNTED && words.charactersLeft(left)}
      </p>
    </form>
  );
}

function Chosen({ file, remove }: { file: File; remove: () => void }) {
  const { language } = useShell();
  const words = useWords();
  const picture = usePicture(file.type.startsWith("image/") ? file : undefined);
  return (
    <li>
      {picture ? <img src={picture} alt="" width="40" height="40" /> : <Document />}
      <span>
        {file.name} <small>{size(file.size, language)}</small>
      </span>
      <button type="button" class="round" aria-label={words.remove(file.name)} onClick={remove}>
        <Close />
      </button>
    </li>
  );
}

/** The files that go with the next message. */
function useTray() {
  const { config, language } = useShell();
  const words = useWords();
  const [files, setFiles] = useState<File[]>([]);
  const [problem, setProblem] = useState("");
  const [isOver, setOver] = useState(false);
  const most = config.files?.bytes_max ?? 0;
  const add = (more: File[]) => {
    const large = more.find((file) => file.size > most);
    const good = more.filter((file) => file.size <= most);
    setFiles((before) => [...before, ...good].slice(0, FILES_MAX));
    if (large) setProblem(words.tooLarge(large.name, size(most, language)));
    else setProblem(files.length + good.length > FILES_MAX ? words.tooMany(FILES_MAX) : "");
  };
  useEffect(() => {
    if (most === 0) return;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    const over = (event: DragEvent) => {
      // Without this the browser would show the file instead of us.
      event.preventDefault();
      setOver(hasFiles(event));
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      add([...(event.dataTransfer?.files ?? [])]);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  });
  return {
    files,
    problem,
    isOver,
    add,
    remove: (file: File) => setFiles(files.filter((one) => one !== file)),
    clear: () => {
      setFiles([]);
      setProblem("");
    },
  };
}

const COARSE = window.matchMedia("(pointer: coarse)");

/** Characters in a message: what the server takes. */
export const TEXT_MAX = 4_000;

/** Characters below a file: what the server takes. */
const CAPTION_MAX = 1_000;

/** From here on what is left is counted. */
const COUNTED = 200;

/** Files with one message: a tray that still fits above the keyboard of a phone. */
const FILES_MAX = 5;
