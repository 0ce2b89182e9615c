import { Button, Skeleton } from "@mantine/core";
import { IconMicrophone, IconPencil, IconUpload } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type DragEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { may } from "../../api/may";
import { services, session } from "../../api/questions";
import { Empty } from "../../parts/empty";
import "../ura/styles";
import { draft, flows, prompts, version } from "../ura/questions";
import { SOUNDS } from "../ura/upload";
import { One } from "./one";
import css from "./prompts.module.css";
import { Recording } from "./recording";
import { type Use, usesOf } from "./uses";
import { Written } from "./written";

type Prompt = Schemas["Prompt"];

/** What is being made: a text, or a recording that was dropped. */
type Making = { readonly is: "text" } | { readonly is: "file"; readonly file: File };

/** All that callers can hear, and where they do. */
export function Prompts() {
  const { t } = useTranslation("ura");
  const { t: core } = useTranslation();
  const { prompt: id } = useParams({ strict: false });
  const { data: me } = useQuery(session);
  const { data: all } = useQuery(prompts);
  const [making, setMaking] = useState<Making>();
  const [isOver, setIsOver] = useState(false);
  const navigate = useNavigate();
  const usesAt = useUses();
  const mayWrite = may(me, "flows", "change");
  useEffect(() => {
    document.title = `${core("nav.prompts")} · ${core("name")}`;
  }, [core]);
  const open = (made: Prompt) => {
    setMaking(undefined);
    void navigate({ to: "/prompts/$prompt", params: { prompt: made.id } });
  };
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file !== undefined) setMaking({ is: "file", file });
  };
  const over = (event: DragEvent) => {
    if (!mayWrite || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setIsOver(true);
  };
  const sorted = [...(all ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  const chosen = sorted.find((one) => one.id === id);
  const deeds = mayWrite && (
    <div className={css.deeds}>
      <Button
        variant="default"
        leftSection={<IconPencil size={16} aria-hidden="true" />}
        onClick={() => setMaking({ is: "text" })}
      >
        {t("prompts.write")}
      </Button>
      <Button component="label" leftSection={<IconUpload size={16} aria-hidden="true" />}>
        {t("prompts.upload")}
        <input
          type="file"
          className="unseen"
          accept={SOUNDS}
          onChange={({ currentTarget }) => {
            take(currentTarget.files);
            currentTarget.value = "";
          }}
        />
      </Button>
    </div>
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: who has no mouse has the button for files.
    <div
      className={css.page}
      data-open={chosen !== undefined}
      data-over={isOver}
      onDragOver={over}
      onDragLeave={(event) => event.currentTarget === event.target && setIsOver(false)}
      onDrop={(event) => {
        if (!mayWrite) return;
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer.files);
      }}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <div className={css.all} tabIndex={0}>
        <header className={css.head}>
          <div>
            <h1>{t("prompts.title")}</h1>
            <p>{t(mayWrite ? "prompts.textDrop" : "prompts.text")}</p>
          </div>
          {sorted.length > 0 && deeds}
        </header>
        {all === undefined && <Skeleton height={260} radius="lg" />}
        {all !== undefined && sorted.length === 0 && (
          <Empty
            icon={<IconMicrophone size={44} stroke={1.3} />}
            title={t("prompts.none")}
            text={t("prompts.noneText")}
          >
            {deeds}
          </Empty>
        )}
        {sorted.length > 0 && <List all={sorted} open={id} usesAt={usesAt} />}
      </div>
      {chosen !== undefined && (
        <One
          key={chosen.id}
          prompt={chosen}
          uses={usesAt(chosen.id)}
          mayWrite={mayWrite}
          open={open}
        />
      )}
      {making?.is === "text" && <Written close={() => setMaking(undefined)} done={open} />}
      {making?.is === "file" && (
        <Recording source={making.file} close={() => setMaking(undefined)} done={open} />
      )}
      {isOver && <p className={css.drop}>{t("prompts.drop")}</p>}
    </div>
  );
}

type ListProps = {
  all: readonly Prompt[];
  open: string | undefined;
  usesAt: (prompt: string) => readonly Use[];
};

function List({ all, open, usesAt }: ListProps) {
  const { t } = useTranslation("ura");
  return (
    <ul className={css.list}>
      {all.map((one) => {
        const uses = usesAt(one.id);
        return (
          <li key={one.id}>
            <Link
              to="/prompts/$prompt"
              params={{ prompt: one.id }}
              className={css.line}
              aria-current={one.id === open ? "page" : undefined}
            >
              <span className={css.what}>
                <strong>{one.name}</strong>
                <small>{one.text === "" ? t(`language.${languageOf(one)}`) : one.text}</small>
              </span>
              <span className={css.uses}>
                {uses.length === 0 ? t("prompts.unused") : uses.map(({ name }) => name).join(" · ")}
              </span>
              <span className={css.long}>{seconds(one.duration_ms)}</span>
              <span className={css.state} data-is={one.state}>
                {t(one.state === "published" ? "prompts.published" : "prompts.draft")}
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

/** The language of a prompt, one of ours. */
export function languageOf({ language }: Prompt): "pt-BR" | "en" | "es" {
  return language === "en" || language === "es" ? language : "pt-BR";
}

/** How long that is: `0:07`. */
export function seconds(ms: number): string {
  const all = Math.max(1, Math.round(ms / 1_000));
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;
}

/** Where each prompt is used: in all that is published or written. */
function useUses(): (prompt: string) => readonly Use[] {
  const { data: all = [] } = useQuery(flows);
  const { data: queues = [] } = useQuery(services);
  const drafts = useQueries({ queries: all.map(({ id }) => draft(id)) });
  const published = all.filter((one) => one.published != null);
  const versions = useQueries({
    queries: published.map(({ id, published }) => version(id, published ?? 0)),
  });
  const known = all.map(({ id, name }, place) => {
    const then = versions[published.findIndex((one) => one.id === id)]?.data;
    const documents = [drafts[place]?.data?.flow, then?.flow].filter((one) => one !== undefined);
    return { id, name, documents };
  });
  return (prompt) => usesOf(prompt, known, queues as Parameters<typeof usesOf>[2]);
}
