import { CloseButton, Skeleton } from "@mantine/core";
import { IconUserQuestion } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas, Work } from "../../api/client";
import { contact, history } from "../../api/questions";
import { Avatar } from "../../parts/avatar";
import { Empty } from "../../parts/empty";
import { MediumIcon } from "../../parts/medium";
import css from "./customer.module.css";
import { readable } from "./identity";

type Props = { work: Work | undefined; isTurned: boolean; close: () => void };

/** Who the customer is, and what was before. */
export function Customer({ work, isTurned, close }: Props) {
  const { t } = useTranslation();
  const closing = useRef<HTMLButtonElement>(null);
  // Where it lies above the rest it takes the keys; where it stands beside, its button is not there.
  useEffect(() => {
    if (isTurned) closing.current?.focus();
  }, [isTurned]);
  if (work === undefined) return null;
  return (
    <aside
      className={css.panel}
      aria-label={t("customer.title")}
      onKeyDown={({ key }) => {
        if (key === "Escape") close();
      }}
    >
      <CloseButton
        ref={closing}
        className={css.close}
        aria-label={t("customer.hide")}
        onClick={close}
      />
      {work.contact == null ? (
        <Empty
          icon={<IconUserQuestion size={36} stroke={1.4} />}
          title={t("customer.unknown")}
          text={t("customer.unknownText")}
        />
      ) : (
        <Known id={work.contact} work={work} />
      )}
    </aside>
  );
}

function Known({ id, work }: { id: string; work: Work }) {
  const { t } = useTranslation();
  const { data: found } = useQuery(contact(id));
  const name = found?.name || work.customer || t("work.customer");
  const fields = Object.entries(found?.fields ?? {});
  // What no person reads, such as the id of a visitor, is left out.
  const ids = found?.identities.flatMap((identity) => {
    const shown = readable(identity);
    return shown === null ? [] : [{ id: identity.id, shown }];
  });
  return (
    <>
      <div className={css.head}>
        <Avatar name={found?.name || work.customer} size={56} />
        <h2>{name}</h2>
      </div>
      {ids?.length !== 0 && <h3>{t("customer.reach")}</h3>}
      {ids === undefined && <Skeleton height={38} />}
      {ids !== undefined && ids.length > 0 && (
        <dl className={css.facts}>
          {ids.map(({ id, shown }) => (
            <div key={id}>
              <dt>{t(`customer.identity.${shown.kind}`)}</dt>
              <dd>{shown.text}</dd>
            </div>
          ))}
        </dl>
      )}
      {fields.length > 0 && (
        <>
          <h3>{t("customer.fields")}</h3>
          <dl className={css.facts}>
            {fields.map(([field, value]) => (
              <div key={field}>
                <dt>{field}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {found?.notes && (
        <>
          <h3>{t("customer.notes")}</h3>
          <p className={css.notes}>{found.notes}</p>
        </>
      )}
      <h3>{t("customer.history")}</h3>
      <History id={id} current={work.interaction} />
    </>
  );
}

function History({ id, current }: { id: string; current: string }) {
  const { t, i18n } = useTranslation();
  const { data: all } = useQuery(history(id));
  if (all === undefined) return <Skeleton height={120} />;
  const date = new Intl.DateTimeFormat(i18n.language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <>
      <ol className={css.history}>
        {all.map((one) => (
          <li key={one.id} data-current={one.id === current}>
            <span className={css.dot}>
              <MediumIcon kind={one.medium} size={15} />
            </span>
            <span>
              <strong>{one.id === current ? t("customer.current") : stateOf(t, one)}</strong>
              <span>{date.format(one.started_ms)}</span>
              <span>{t("talk.protocol", { protocol: one.protocol })}</span>
            </span>
          </li>
        ))}
      </ol>
      {all.length <= 1 && <p className={css.none}>{t("customer.none")}</p>}
    </>
  );
}

function stateOf(t: TFunction, one: Pick<Schemas["Interaction"], "state">): string {
  return one.state === "ended" ? t("customer.state.ended") : t("customer.state.open");
}
