// One message, or one that is on its way.

import { useEffect, useState } from "preact/hooks";
import { pieces } from "../links.ts";
import type { Pending } from "../machine/outbox.ts";
import type { Content, FileContent, Message } from "../protocol.ts";
import { hour, size } from "../words.ts";
import { useShell, useWords } from "./context.ts";
import { Face } from "./Header.tsx";
import { Check, Checks, Clock, Document, Pin, Warning } from "./icons.tsx";

export function Bubble(props: {
  message: Message;
  isFirst: boolean;
  isLast: boolean;
  canChoose: boolean;
}) {
  const { message, isFirst, isLast, canChoose } = props;
  const shell = useShell();
  const words = useWords();
  const { author, content } = message;
  const isOwn = author.kind === "visitor";
  const name = isOwn ? words.you : (author.name ?? unnamed(shell, author.kind));
  const isRead = message.seq <= (shell.chat.state?.read_seq ?? 0);
  return (
    <>
      <div class={`turn ${isOwn ? "is-own" : "is-theirs"} ${isLast ? "is-last" : ""}`}>
        {!isOwn && isLast && <Face name={name} image={author.avatar} />}
        <div class="said">
          <span class={isFirst && !isOwn ? "name" : "hidden"}>{name}</span>
          <Inside content={content} isOwn={isOwn} />
          {isLast && (
            <p class="meta">
              <time dateTime={new Date(message.at_ms).toISOString()}>
                {hour(message.at_ms, shell.language)}
              </time>
              {isOwn && (
                <span class={isRead ? "is-read" : ""}>
                  {isRead ? <Checks /> : <Check />}
                  <span class="hidden">{isRead ? words.status.read : words.status.kept}</span>
                </span>
              )}
            </p>
          )}
        </div>
      </div>
      {content.kind === "choices" && canChoose && <Choices message={message} />}
    </>
  );
}

function unnamed(shell: ReturnType<typeof useShell>, kind: Message["author"]["kind"]): string {
  return kind === "agent" ? (shell.chat.agent?.name ?? shell.config.name) : shell.config.name;
}

/** What the visitor wrote and the server does not have yet. */
export function PendingBubble({ pending }: { pending: Pending }) {
  const shell = useShell();
  const words = useWords();
  const { id, state, file, request } = pending;
  if (request.type !== "send") return null;
  const { content } = request;
  const progress = state.is === "uploading" ? state.progress : undefined;
  const status = state.is === "held" ? words.status.queued : words.status[state.is];
  return (
    <div class={`turn is-own is-last ${state.is === "failed" ? "is-failed" : "is-pending"}`}>
      <div class="said">
        <span class="hidden">{words.you}</span>
        {content.kind === "text" && <Text text={content.text} isOwn />}
        {content.kind === "choice" && <Text text={content.title} isOwn />}
        {content.kind === "file" && file && (
          <Upload id={id} file={file} progress={progress} caption={content.caption} />
        )}
        <p class="meta">
          {state.is === "failed" ? <Warning /> : state.is === "kept" ? <Check /> : <Clock />}
          <span class={state.is === "failed" ? "" : "hidden"}>
            {status}
            {state.is === "failed" && `. ${words.failure[state.code] ?? words.failed}`}
          </span>
          {state.is === "uploading" && (
            <button type="button" class="plain" onClick={() => shell.cancel(id)}>
              {words.cancel}
            </button>
          )}
          {state.is === "failed" && (
            <>
              <button type="button" class="plain" onClick={() => shell.retry(id)}>
                {words.retry}
              </button>
              <button type="button" class="plain" onClick={() => shell.cancel(id)}>
                {words.discard}
              </button>
            </>
          )}
        </p>
      </div>
    </div>
  );
}

function Upload(props: {
  id: string;
  file: { name: string; mime: string; bytes: number };
  progress: number | undefined;
  caption: string | undefined;
}) {
  const { id, file, progress, caption } = props;
  const { files, language } = useShell();
  const words = useWords();
  const picture = usePicture(file.mime.startsWith("image/") ? files.peek(id) : undefined);
  return (
    <div class="bubble has-file">
      {picture ? (
        <img class="picture" src={picture} alt={file.name} />
      ) : (
        <span class="document">
          <Document />
          <span>
            {file.name} <small>{size(file.bytes, language)}</small>
          </span>
        </span>
      )}
      {progress !== undefined && (
        <progress value={progress} max={1} aria-label={`${words.status.uploading}: ${file.name}`} />
      )}
      {caption && <p class="words">{caption}</p>}
    </div>
  );
}

/** An address of a file in memory, as long as it is shown. */
export function usePicture(file: File | undefined): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return file && address;
}

function Inside({ content, isOwn }: { content: Content; isOwn: boolean }) {
  const words = useWords();
  switch (content.kind) {
    case "text":
      return <Text text={content.text} isOwn={isOwn} />;
    case "choice":
      return <Text text={content.title} isOwn={isOwn} />;
    case "choices":
      return (
        <div class="bubble">
          <p class="words">{content.text}</p>
          {content.footer && <p class="footer">{content.footer}</p>}
        </div>
      );
    case "file":
      return <Attached file={content.file} caption={content.caption} />;
    case "location": {
      const { latitude, longitude, name, address } = content;
      const at = `${latitude}/${longitude}`;
      return (
        <a
          class="bubble document"
          href={`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${at}`}
          target="_blank"
          rel="noopener noreferrer"
        >
          <Pin />
          <span>
            {name ?? words.location} <small>{address ?? words.openMap}</small>
          </span>
        </a>
      );
    }
    case "unsupported":
      return <p class="bubble is-odd">{words.unsupported}</p>;
  }
}

function Text({ text }: { text: string; isOwn: boolean }) {
  return (
    <p class="bubble words">
      {pieces(text).map(({ text: words, href }, at) =>
        href === undefined ? (
          words
        ) : (
          <a key={at} href={href} target="_blank" rel="noopener noreferrer nofollow">
            {words}
          </a>
        ),
      )}
    </p>
  );
}

function Attached({ file, caption }: { file: FileContent; caption: string | undefined }) {
  const { language } = useShell();
  const words = useWords();
  const name = file.name || words.file;
  return (
    <div class="bubble has-file">
      {file.kind === "image" && (
        <a href={file.url} target="_blank" rel="noopener" aria-label={words.openImage(name)}>
          <img
            class="picture"
            src={file.thumb ?? file.url}
            alt={caption ? "" : name}
            width={file.width}
            height={file.height}
            loading="lazy"
          />
        </a>
      )}
      {/* biome-ignore lint/a11y/useMediaCaption: people's own films have none. */}
      {file.kind === "video" && <video controls preload="metadata" src={file.url} />}
      {file.kind === "audio" && (
        // biome-ignore lint/a11y/useMediaCaption: nor has what they say.
        <audio controls preload="metadata" src={file.url} aria-label={name} />
      )}
      {file.kind === "document" && (
        <a class="document" href={file.url} download={name} aria-label={words.download(name)}>
          <Document />
          <span>
            {name} <small>{size(file.bytes, language)}</small>
          </span>
        </a>
      )}
      {caption && <p class="words">{caption}</p>}
    </div>
  );
}

function Choices({ message }: { message: Message }) {
  const shell = useShell();
  const words = useWords();
  if (message.content.kind !== "choices") return null;
  const { choices } = message.content;
  const isList = choices.length > 5 || choices.some(({ description }) => description);
  return (
    <fieldset class={`choices ${isList ? "is-list" : ""}`}>
      <legend class="hidden">{words.options}</legend>
      {choices.map(({ id, title, description }) => (
        <button type="button" key={id} onClick={() => shell.choose(message.seq, id, title)}>
          {title}
          {description && <small>{description}</small>}
        </button>
      ))}
    </fieldset>
  );
}
