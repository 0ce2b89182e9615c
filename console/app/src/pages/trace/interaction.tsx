import "@mantine/core/styles/Tabs.css";
import { ActionIcon, Button, Skeleton, Tabs, Tooltip } from "@mantine/core";
import { IconArrowLeft, IconCopy, IconFileText } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { namedCompany, Refused, type Schemas } from "../../api/client";
import { Empty } from "../../parts/empty";
import { MediumIcon } from "../../parts/medium";
import { notice } from "../../parts/notices";
import { speaking } from "../../words/words";
import { TABS, type Tab } from "./address";
import { Facts } from "./facts";
import css from "./interaction.module.css";
import list from "./list.module.css";
import { useNames } from "./names";
import { Path } from "./path";
import { Quality } from "./quality";
import { interaction, recordings } from "./questions";
import { outcome, tone } from "./rows";
import { Signalling } from "./sip";
import { Talk } from "./talk";
import { lines } from "./trail";
import { Why } from "./why";

const Player = lazy(() => import("./player").then(({ Player }) => ({ default: Player })));

const NotYours = lazy(speaking("closed", () => import("../../parts/closed")));

type Found = Schemas["InteractionWithTrail"];

/** One interaction: all that is known of it. */
export function InteractionPage() {
  const { t } = useTranslation();
  const { t: say } = useTranslation("supervision");
  const { interaction: id } = useParams({ from: "/inside/trace/$interaction" });
  const { data: found, error, refetch } = useQuery(interaction(id));
  const protocol = found?.protocol ?? "";
  useEffect(() => {
    document.title = `${protocol || say("trace.title")} · ${t("name")}`;
  }, [protocol, t, say]);
  if (error !== null && found === undefined) {
    if (error instanceof Refused && error.status === 403) {
      return (
        <Suspense>
          <NotYours page="interaction" />
        </Suspense>
      );
    }
    const isGone = error instanceof Refused && error.status === 404;
    return (
      <Empty title={isGone ? say("one.gone") : t("failed.load")}>
        <Button variant="default" onClick={() => void refetch()}>
          {t("failed.retry")}
        </Button>
      </Empty>
    );
  }
  if (found === undefined) return <Loading />;
  return <Known found={found} />;
}

function Known({ found }: { found: Found }) {
  const { t: say } = useTranslation("supervision");
  const { tab } = useSearch({ from: "/inside/trace/$interaction" });
  const navigate = useNavigate();
  const isCall = found.medium === "phone";
  const trail = lines(found.trail);
  const shown = TABS.filter((one) => (one === "sip" ? isCall : one !== "talk" || !isCall));
  const first = isCall ? "path" : "talk";
  return (
    <div className={css.page}>
      <Head found={found} />
      <div className={css.body}>
        <Tabs
          className={css.main}
          value={shown.find((one) => one === tab) ?? first}
          keepMounted={false}
          onChange={(chosen) => {
            const search = chosen === first ? {} : { tab: chosen as Tab };
            void navigate({ to: ".", search, replace: true });
          }}
        >
          <Tabs.List className={css.tabs}>
            {[...shown]
              .sort((a, b) => Number(b === first) - Number(a === first))
              .map((one) => (
                <Tabs.Tab key={one} value={one}>
                  {say(`one.tab.${one}`)}
                </Tabs.Tab>
              ))}
          </Tabs.List>
          <Tabs.Panel value="path" className={css.panel} tabIndex={0}>
            {isCall && <Recordings id={found.id} />}
            <Path found={found} trail={trail} />
          </Tabs.Panel>
          <Tabs.Panel value="talk" className={css.panel} tabIndex={0}>
            <Talk id={found.id} isOpen={found.ended_ms == null} />
          </Tabs.Panel>
          <Tabs.Panel value="why" className={css.panel} tabIndex={0}>
            <Why id={found.id} />
          </Tabs.Panel>
          <Tabs.Panel value="sip" className={css.panel} tabIndex={0}>
            <Quality quality={found.quality} />
            <Signalling id={found.id} isOpen={found.ended_ms == null} />
          </Tabs.Panel>
        </Tabs>
        <Facts found={found} trail={trail} />
      </div>
    </div>
  );
}

function Head({ found }: { found: Found }) {
  const { t: say } = useTranslation("supervision");
  const router = useRouter();
  const navigate = useNavigate();
  const names = useNames();
  const what = outcome(found);
  const who = found.direction === "outbound" ? found.to : found.from_name || found.from;
  const parts = [names.service(found.service), names.person(found.agent)];
  const back = () => {
    if (router.history.canGoBack()) router.history.back();
    else void navigate({ to: "/trace" });
  };
  const copy = () =>
    navigator.clipboard.writeText(found.protocol).then(
      () => notice(say("one.copied")),
      () => {},
    );
  return (
    <header className={css.head}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={say("one.back")}
        onClick={back}
      >
        <IconArrowLeft size={20} />
      </ActionIcon>
      <span className={css.medium}>
        <MediumIcon kind={found.medium} size={20} />
      </span>
      <div className={css.who}>
        <h1>{who || say("trace.withheld")}</h1>
        <p>
          <span>{found.protocol}</span>
          <Tooltip label={say("one.copy")}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={say("one.copy")}
              onClick={copy}
            >
              <IconCopy size={14} />
            </ActionIcon>
          </Tooltip>
          <span className={css.cut}>{parts.filter((part) => part !== "").join(" · ")}</span>
        </p>
      </div>
      <span className={list.outcome} data-tone={tone(what)}>
        {say(`trace.outcome.${what}`)}
      </span>
      {found.medium !== "phone" && (
        <Button
          className={css.transcript}
          component="a"
          href={`/api/v1/interactions/${found.id}/transcript?format=html&${namedCompany()}`}
          target="_blank"
          rel="noreferrer"
          variant="default"
          leftSection={<IconFileText size={16} stroke={1.7} />}
        >
          {say("one.transcript")}
        </Button>
      )}
    </header>
  );
}

function Recordings({ id }: { id: string }) {
  const { data: all } = useQuery(recordings(id));
  if (all === undefined || all.length === 0) return null;
  return (
    <Suspense fallback={<Skeleton height={70} mb={20} />}>
      {all.map((one) => (
        <Player key={one.id} recording={one} />
      ))}
    </Suspense>
  );
}

function Loading() {
  return (
    <div className={css.loading} aria-hidden="true">
      <Skeleton height={28} width={280} />
      <Skeleton height={26} />
      <Skeleton height={220} />
    </div>
  );
}
