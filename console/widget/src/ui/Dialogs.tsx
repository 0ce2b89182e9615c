// What is asked before something is done: to end the conversation, to mail it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useShell, useWords } from "./context.ts";
import { LOOKS_RIGHT } from "./Form.tsx";

/** What is asked. */
export type Asked = "end" | "transcript" | undefined;

export function Dialogs({ asked, done }: { asked: Asked; done: () => void }) {
  switch (asked) {
    case "end":
      return <AskEnd done={done} />;
    case "transcript":
      return <AskTranscript done={done} />;
    case undefined:
      return null;
  }
}

function Dialog(props: { title: string; done: () => void; children: ComponentChildren }) {
  const { title, done, children } = props;
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog
      class="dialog"
      ref={box}
      aria-labelledby="dialog-title"
      onClose={done}
      onKeyDown={(event) => {
        // The dialog closes by it; the chat stays open.
        if (event.key === "Escape") event.stopPropagation();
      }}
    >
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

function AskEnd({ done }: { done: () => void }) {
  const shell = useShell();
  const words = useWords();
  return (
    <Dialog title={words.endQuestion} done={done}>
      <p>{words.endExplain}</p>
      <form method="dialog" class="buttons">
        <button type="submit" class="plain">
          {words.cancel}
        </button>
        <button type="submit" class="wide" onClick={() => shell.ask({ type: "close" })}>
          {words.end}
        </button>
      </form>
    </Dialog>
  );
}

function AskTranscript({ done }: { done: () => void }) {
  const shell = useShell();
  const words = useWords();
  const { chat } = shell;
  const [wrong, setWrong] = useState(false);
  const isRefused = chat.notice?.of === "transcript";
  const isWrong = wrong || (isRefused && chat.notice?.fields.includes("email") === true);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const email = String(new FormData(form).get("email") ?? "").trim();
    setWrong(!LOOKS_RIGHT.email.test(email));
    if (LOOKS_RIGHT.email.test(email)) shell.ask({ type: "transcript", email });
    else form.querySelector("input")?.focus();
  };
  return (
    <Dialog title={words.transcript} done={done}>
      {chat.hasSentTranscript ? (
        <form method="dialog" class="buttons">
          <p role="status">{words.transcriptSent}</p>
          <button type="submit" class="wide">
            OK
          </button>
        </form>
      ) : (
        <form noValidate onSubmit={submit}>
          <p>{words.transcriptExplain}</p>
          <div class="row">
            <label for="transcript-email">{words.form.email}</label>
            <input
              id="transcript-email"
              name="email"
              type="email"
              autocomplete="email"
              required
              defaultValue={chat.known.email}
              aria-invalid={isWrong}
              aria-describedby={isWrong ? "transcript-wrong" : undefined}
            />
            <p class="wrong" id="transcript-wrong" role="alert">
              {isWrong ? words.wrong.email : isRefused && words.failed}
            </p>
          </div>
          <div class="buttons">
            <button type="button" class="plain" onClick={done}>
              {words.cancel}
            </button>
            <button type="submit" class="wide">
              {words.transcriptSend}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
