import { IconFile, IconFileOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { FileOfMessage } from "../../api/client";
import css from "./talk.module.css";

/** The files of a message: pictures and sound as such, everything else to be opened. */
export function Files({ files }: { files: readonly FileOfMessage[] }) {
  return files.map((file) => <One key={file.id} file={file} />);
}

function One({ file }: { file: FileOfMessage }) {
  const { t } = useTranslation();
  const name = file.name ?? t("talk.file");
  if (file.url == null) {
    const isComing = file.state === "waiting";
    return (
      <span className={css.file}>
        <IconFileOff size={20} stroke={1.6} aria-hidden="true" />
        <span>{isComing ? t("talk.waiting") : t("talk.noFile")}</span>
      </span>
    );
  }
  const kind = file.mime?.split("/")[0];
  if (kind === "image") {
    return (
      <a className={css.picture} href={file.url} target="_blank" rel="noreferrer">
        <img src={file.thumbnail_url ?? file.url} alt={name} loading="lazy" />
      </a>
    );
  }
  if (kind === "audio") {
    // biome-ignore lint/a11y/useMediaCaption: nobody has written down what the customer says.
    return <audio className={css.sound} controls preload="metadata" src={file.url} />;
  }
  if (kind === "video") {
    // biome-ignore lint/a11y/useMediaCaption: nobody has written down what the customer says.
    return <video className={css.film} controls preload="metadata" src={file.url} />;
  }
  return (
    <a className={css.file} href={file.url} target="_blank" rel="noreferrer">
      <IconFile size={20} stroke={1.6} aria-hidden="true" />
      <span>
        {name}
        {file.bytes != null && <small>{size(file.bytes)}</small>}
      </span>
    </a>
  );
}

const KILO = 1_000;

/** How large a file is, as people say it. */
export function size(bytes: number): string {
  if (bytes < KILO * KILO) return `${Math.max(1, Math.round(bytes / KILO))} kB`;
  return `${(bytes / KILO / KILO).toFixed(1)} MB`;
}
