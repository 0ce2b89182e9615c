import { UnstyledButton } from "@mantine/core";
import {
  IconAlertCircle,
  IconArrowBackUp,
  IconCheck,
  IconChecks,
  IconClock,
  IconLock,
  IconMapPin,
  IconRobot,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Message, type Work } from "../../api/client";
import { composer, messages, templates, useMe } from "../../api/questions";
import type { Sending } from "../../live/outbox";
import { again, discard } from "../../live/sending";
import { Avatar } from "../../parts/avatar";
import { notice, useWhy } from "../../parts/notices";
import { clock } from "../../parts/time";
import { speaking } from "../../words/words";
import { short, writer } from "./card";
import { carries } from "./carries";
import { Files } from "./files";
import { saidAbove } from "./heading";
import { marked, type Noted } from "./notes";
import { reply } from "./replying";
import { author, failure, type Group, mayGoAgain, reactions, type Said, said, side } from "./said";
import css from "./talk.module.css";
import { filled } from "./template";
import { Words } from "./text";

const Mail = lazy(speaking("agent", () => import("./mail")));

/** What is known of the interaction in which something was written: less where one has it not in hand. */
export type Talked = Pick<Work, "interaction" | "doing" | "channel">;

/** Messages of one author. */
export function Bubbles({ group, work }: { group: Group; work: Talked }) {
  const { t, i18n } = useTranslation();
  const { data: may } = useQuery(composer(work.interaction));
  const me = useMe();
  const first = group.items[0];
  if (first === undefined) return null;
  const who = side(first, me);
  const name = who === "customer" ? author(first).name || t("work.customer") : writer(t, first, me);
  const channel = work.channel?.id ?? "";
  // What comes by mail is one; what leaves is one as soon as it was made.
  const isMail = work.channel?.kind === "email" && first.direction === "inbound";
  const mayAnswer =
    work.doing === "handling" && may?.open === true && carries(may.capabilities).replies;
  return (
    <div
      className={css.group}
      data-side={who === "customer" ? "in" : "out"}
      data-itself={who === "itself"}
    >
      {(who === "itself" || who === "colleague") && (
        <span className={css.author} aria-hidden="true">
          {who === "itself" ? (
            <IconRobot size={14} stroke={1.7} />
          ) : (
            <Avatar name={name} size={18} />
          )}
          {name}
        </span>
      )}
      {group.items.map((message) => (
        <div key={message.id} className={css.item}>
          <div className={css.bubble}>
            <Quoted of={message} interaction={work.interaction} />
            <span className="unseen">{name}: </span>
            {who !== "customer" && <SaidAbove message={message} />}
            {isMail ? (
              <Suspense fallback={<Content message={message} channel={channel} />}>
                <Mail message={message.id} />
              </Suspense>
            ) : (
              <Content message={message} channel={channel} />
            )}
            <span className={css.foot}>
              {message.edits != null && message.edits.length > 0 && <>{t("talk.edited")} · </>}
              <time>{clock(i18n.language, message.at_ms)}</time>
              {who !== "customer" && <Tick state={message.state ?? ""} />}
            </span>
            <Reactions message={message} />
          </div>
          {mayAnswer && who === "customer" && message.external_id != null && (
            <UnstyledButton
              className={css.answer}
              aria-label={t("talk.reply")}
              title={t("talk.reply")}
              onClick={() => reply(work.interaction, message)}
            >
              <IconArrowBackUp size={17} stroke={1.7} aria-hidden="true" />
            </UnstyledButton>
          )}
          <Failed message={message} work={work} />
        </div>
      ))}
    </div>
  );
}

/** What a colleague or oneself has said above a mail. */
function SaidAbove({ message }: { message: Message }) {
  const { t } = useTranslation();
  const { subject, cc, bcc } = saidAbove(message);
  const lines = [subject, ...[cc, bcc].filter(Boolean).map((to) => t("talk.copy", { to }))];
  const shown = lines.filter(Boolean);
  return shown.length === 0 ? null : <span className={css.label}>{shown.join(" · ")}</span>;
}

/** The message that one answers. */
function Quoted({ of, interaction }: { of: Message; interaction: string }) {
  const { t } = useTranslation();
  const { data: all } = useQuery({ ...messages(interaction), enabled: of.reply_to != null });
  const found = all?.find(({ external_id }) => of.reply_to != null && external_id === of.reply_to);
  return found === undefined ? null : <span className={css.quoted}>{short(t, found)}</span>;
}

/** A word of a colleague, which the customer never sees. */
export function Note({ note }: { note: Noted }) {
  const { t, i18n } = useTranslation();
  return (
    <div className={css.note}>
      <p className={css.author}>
        <IconLock size={13} stroke={1.8} aria-hidden="true" />
        {t("composer.note")} · {note.name} · <time>{clock(i18n.language, note.at_ms)}</time>
      </p>
      <p className={css.words}>
        {marked(note.text).map((piece, place) => {
          const key = `${place}${piece.text}`;
          return piece.isName ? (
            <strong key={key}>{piece.text}</strong>
          ) : (
            <span key={key}>{piece.text}</span>
          );
        })}
      </p>
    </div>
  );
}

function Content({ message, channel }: { message: Message; channel: string }) {
  const { t } = useTranslation();
  if (message.revoked_ms != null) return <em className={css.soft}>{t("talk.revoked")}</em>;
  const what = said(message);
  switch (what.kind) {
    case "text":
      return <Words text={what.text} />;
    case "media":
      return (
        <>
          <Files files={message.attachments} />
          {what.caption !== "" && <Words text={what.caption} />}
        </>
      );
    case "location":
      return (
        <a className={css.place} href={what.url} target="_blank" rel="noreferrer">
          <IconMapPin size={18} stroke={1.7} aria-label={t("talk.location")} role="img" />
          {what.text}
        </a>
      );
    case "contacts":
      return <Words text={what.text} label={t("talk.contacts")} />;
    case "choices":
      return (
        <>
          <Words text={what.text} />
          <ul className={css.choices}>
            {what.choices.map((choice) => (
              <li key={choice}>{choice}</li>
            ))}
          </ul>
        </>
      );
    case "template":
      return (
        <>
          <Files files={message.attachments} />
          <FromTemplate of={what} channel={channel} />
        </>
      );
    case "order":
      return <em className={css.soft}>{t("talk.order")}</em>;
    case "reaction":
      return <Words text={what.text} />;
    case "unsupported":
      return <em className={css.soft}>{t("talk.unsupported", { kind: what.name })}</em>;
  }
}

/** A template as the customer sees it, where its words are known; else what was put into it. */
function FromTemplate({
  of,
  channel,
}: {
  of: Extract<Said, { kind: "template" }>;
  channel: string;
}) {
  const { t } = useTranslation();
  const { data: all } = useQuery({ ...templates(channel), enabled: channel !== "" });
  const found = all?.find((one) => one.name === of.name && one.language === of.language);
  const label = `${t("talk.template")} · ${of.name.replaceAll("_", " ")}`;
  if (found === undefined)
    return <Words text={Object.values(of.given).join(" · ")} label={label} />;
  const { header, body, footer } = filled(found, of.given);
  const text = [header, body, footer].filter((part) => part !== "").join("\n");
  return <Words text={text} label={label} />;
}

function Reactions({ message }: { message: Message }) {
  const all = reactions(message);
  return all.length === 0 ? null : <span className={css.reactions}>{all.join(" ")}</span>;
}

const STATES = [
  "going",
  "stuck",
  "queued",
  "accepted",
  "sent",
  "delivered",
  "read",
  "failed",
  "uncertain",
  "held",
] as const;

/** How far a message of ours came. */
function Tick({ state }: { state: string }) {
  const { t } = useTranslation();
  const is = STATES.find((known) => known === state);
  if (is === undefined) return null;
  const Icon =
    is === "delivered" || is === "read"
      ? IconChecks
      : is === "accepted" || is === "sent"
        ? IconCheck
        : is === "failed" || is === "uncertain"
          ? IconAlertCircle
          : IconClock;
  return (
    <span className={css.tick} data-state={is} title={t(`talk.state.${is}`)}>
      <Icon size={15} stroke={1.9} role="img" aria-label={t(`talk.state.${is}`)} />
    </span>
  );
}

/** Why a message came no further, and another try where one is of use. */
function Failed({ message, work }: { message: Message; work: Talked }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const why = useWhy();
  const { interaction } = work;
  const resend = useMutation({
    mutationFn: async () => {
      const params = { path: { id: interaction, message: message.id } };
      const path = "/api/v1/interactions/{id}/messages/{message}/resend";
      await asked(api.POST(path, { params }));
      await client.invalidateQueries({ queryKey: messages(interaction).queryKey });
    },
    onError: (error) => notice(why(error)),
  });
  const state = message.state;
  if (state !== "failed" && state !== "uncertain") return null;
  return (
    <p className={css.failed} role="alert">
      <span>{failure(message) || t(`talk.state.${state}`)}</span>
      {work.doing === "handling" && mayGoAgain(message) && (
        <UnstyledButton disabled={resend.isPending} onClick={() => resend.mutate()}>
          {t("talk.again")}
        </UnstyledButton>
      )}
    </p>
  );
}

/** What is not yet with the program. */
export function Pending({ sending }: { sending: Sending }) {
  const { t, i18n } = useTranslation();
  const { state } = sending;
  return (
    <div className={css.group} data-side="out">
      <div className={css.item}>
        <div className={css.bubble} data-pending="true">
          {sending.files.map((file) => (
            <span key={file} className={css.soft}>
              {file}
            </span>
          ))}
          <Words text={sending.text} />
          <span className={css.foot}>
            <time>{clock(i18n.language, sending.atMs)}</time>
            <Tick state={state.is === "refused" ? "failed" : state.is} />
          </span>
        </div>
        {state.is === "refused" && (
          <p className={css.failed} role="alert">
            <span>{state.why || t("failed.unknown")}</span>
            {!state.isFinal && (
              <UnstyledButton onClick={() => again(sending)}>{t("talk.again")}</UnstyledButton>
            )}
            <UnstyledButton onClick={() => discard(sending)}>{t("talk.discard")}</UnstyledButton>
          </p>
        )}
      </div>
    </div>
  );
}
