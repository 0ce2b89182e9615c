import { Button, Skeleton, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { namedCompany } from "../../api/client";
import { fields, text } from "../../api/open";
import { mail } from "../../api/questions";
import css from "./mail.module.css";
import { Words } from "./text";

/** A mail as one: who wrote to whom, what about, and what it says, in a frame where nothing of it can do anything. */
export default function Mail({ message }: { message: string }) {
  const { t } = useTranslation("agent");
  const { data: read } = useQuery(mail(message));
  const [isWhole, setIsWhole] = useState(false);
  const [pictures, setPictures] = useState(false);
  if (read === undefined) return <Skeleton height={180} />;
  const hasQuoted = read.page_folded != null && read.page_folded !== read.page;
  const query = [
    isWhole || !hasQuoted ? "" : "folded=true",
    pictures ? "pictures=true" : "",
    namedCompany(),
  ];
  const asks = query.filter((part) => part !== "").join("&");
  return (
    <div className={css.mail}>
      <strong className={css.subject}>{read.subject || t("mail.noSubject")}</strong>
      <dl className={css.people}>
        <People label={t("mail.from")} all={read.from} />
        <People label={t("mail.to")} all={read.to} />
        <People label={t("mail.cc")} all={read.cc} />
      </dl>
      {read.verified === "failed" && (
        <p className={css.warn} role="alert">
          {t("mail.failed")}
        </p>
      )}
      {read.blocked > 0 && !pictures && (
        <p className={css.warn}>
          {t("mail.blocked", { count: read.blocked })}{" "}
          <Button size="compact-xs" variant="default" onClick={() => setPictures(true)}>
            {t("mail.show")}
          </Button>
        </p>
      )}
      {read.page == null ? (
        <Words text={read.text} />
      ) : (
        <iframe
          className={css.frame}
          title={t("mail.frame")}
          sandbox={read.frame}
          src={`/api/v1/messages/${message}/mail/page?${asks}`}
        />
      )}
      <p className={css.foot}>
        {hasQuoted && (
          <UnstyledButton onClick={() => setIsWhole((is) => !is)}>
            {isWhole ? t("mail.fold") : t("mail.quoted")}
          </UnstyledButton>
        )}
        <a href={read.original_url} target="_blank" rel="noreferrer">
          {t("mail.original")}
        </a>
      </p>
    </div>
  );
}

function People({ label, all }: { label: string; all: readonly unknown[] }) {
  if (all.length === 0) return null;
  const names = all.map((one) => {
    const { name, address } = fields(one);
    return text(name) === "" ? text(address) : `${text(name)} <${text(address)}>`;
  });
  return (
    <div>
      <dt>{label}</dt>
      <dd>{names.join(", ")}</dd>
    </div>
  );
}
