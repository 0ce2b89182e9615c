import { Button, Skeleton } from "@mantine/core";
import { IconCircleCheck, IconCoffee } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Work } from "../../api/client";
import { useStore } from "../../live/store";
import { Empty } from "../../parts/empty";
import { phone } from "../../phone/handset";
import { useForced, usePresence, useReason } from "../shell/presence";
import { Card } from "./card";
import { Mentioned } from "./mentioned";
import { missed } from "./missed";
import { Offer, Ring } from "./offer";
import css from "./work.module.css";

type Props = {
  all: readonly Work[] | undefined;
  offers: readonly Work[];
  mine: readonly Work[];
  open: string | undefined;
};

/** Of whom so much is taken, in percent, to them nothing more comes. */
const FULL = 100;

/** What calls, and what one has in hand. */
export function List({ all, offers, mine, open }: Props) {
  const { t } = useTranslation();
  const leg = useStore(phone, (value) => value?.leg);
  const isOffered = offers.some(({ medium }) => medium === "phone");
  const from = leg?.is === "ringing" && !isOffered ? leg.from : undefined;
  const { me } = usePresence();
  const isFull = me?.presence === "available" && me.load >= FULL && mine.length > 1;
  const isCalled = offers.length > 0 || from !== undefined;
  return (
    <aside className={css.list} aria-label={t("work.title")}>
      {/* Read aloud: who does not see the list hears that somebody calls. */}
      <div aria-live="assertive">
        {isCalled && (
          <section className={css.offers}>
            <h2 className={css.title}>{t("work.offers")}</h2>
            {from !== undefined && <Ring from={from} />}
            {offers.map((one) => (
              <Offer key={one.work} work={one} />
            ))}
          </section>
        )}
      </div>
      <Mentioned mine={new Set(mine.map(({ interaction }) => interaction))} />
      <h2 className={css.title}>
        {t("work.title")}
        {mine.length > 0 && <span className={css.count}>{mine.length}</span>}
      </h2>
      {isFull && (
        <p className={css.full} role="status">
          {t("work.full")}
        </p>
      )}
      {all === undefined && <Loading />}
      {all !== undefined && mine.length === 0 && <Nothing isCalled={isCalled} />}
      <ul className={css.cards}>
        {mine.map((one, place) => (
          <li key={one.work}>
            <Card work={one} place={place + 1} isOpen={one.work === open} />
          </li>
        ))}
      </ul>
    </aside>
  );
}

function Loading() {
  return (
    <div className={css.cards} aria-hidden="true">
      {["a", "b", "c"].map((one) => (
        <div key={one} className={css.ghost}>
          <Skeleton circle height={40} />
          <div>
            <Skeleton height={12} width="60%" mb={8} />
            <Skeleton height={10} width="85%" />
          </div>
        </div>
      ))}
    </div>
  );
}

function Nothing({ isCalled }: { isCalled: boolean }) {
  const { t } = useTranslation();
  const { me, come, wish } = usePresence();
  const reason = useReason(me);
  const sentence = useForced(me);
  const last = useStore(missed, (value) => value);
  if (isCalled || me === undefined) return null;
  if (me.presence === "available") {
    return (
      <Empty
        icon={<IconCircleCheck size={36} stroke={1.4} />}
        title={t("work.none.available")}
        text={t("work.none.availableText")}
      />
    );
  }
  return (
    <Empty
      icon={<IconCoffee size={36} stroke={1.4} />}
      title={reason === undefined ? t("work.none.away") : t("work.none.paused", { reason })}
      text={
        me.forced
          ? sentence
          : last !== null && (me.reason === "missed" || me.reason === "unreachable")
            ? t("work.none.missed", last)
            : t("work.none.awayText")
      }
    >
      <Button onClick={come.mutate} loading={wish.isPending}>
        {t("presence.come")}
      </Button>
    </Empty>
  );
}
