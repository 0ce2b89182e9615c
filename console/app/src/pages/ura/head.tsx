import { Button, Modal } from "@mantine/core";
import { IconArrowLeft, IconCheck, IconCloudUpload, IconRocket } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../api/client";
import { useStore } from "../../live/store";
import { notice, useWhy } from "../../parts/notices";
import { Changes } from "./flow/changes";
import type { Keeper, Kept } from "./keeper";
import { draft, flow as ofFlow, findings as question, version } from "./questions";
import { State } from "./state";
import css from "./ura.module.css";

type Flow = Schemas["Flow"];

type Props<T> = {
  flow: Flow;
  kept?: Keeper<T> | undefined;
  mayWrite: boolean;
  /** Whether the page has no margins of its own. */
  isWide?: boolean;
  /** What else can be done on this page. */
  children?: ReactNode;
};

/** Above every page of a URA: which it is, how it stands, where else one can go. */
export function Head<T>({ flow, kept, mayWrite, isWide = false, children }: Props<T>) {
  const { t } = useTranslation("ura");
  const { t: core } = useTranslation();
  useEffect(() => {
    document.title = `${flow.name} · ${core("nav.ura")} · ${core("name")}`;
  }, [flow.name, core]);
  return (
    <header className={css.head} data-wide={isWide}>
      <div className={css.name}>
        <Link to="/ura" className={css.back} aria-label={t("head.back")}>
          <IconArrowLeft size={18} aria-hidden="true" />
        </Link>
        <h1>{flow.name}</h1>
        <State flow={flow} />
      </div>
      <nav className={css.tabs} aria-label={flow.name}>
        <Link to="/ura/$flow" params={{ flow: flow.id }} activeOptions={{ exact: true }}>
          {t("head.form")}
        </Link>
        <Link to="/ura/$flow/flow" params={{ flow: flow.id }}>
          {t("head.flow")}
        </Link>
        <Link to="/ura/$flow/versions" params={{ flow: flow.id }}>
          {t("head.versions")}
        </Link>
      </nav>
      <div className={css.deeds}>
        {kept !== undefined && <Saving kept={kept} flow={flow.id} />}
        {children}
        {mayWrite && <Publish flow={flow} kept={kept} />}
      </div>
    </header>
  );
}

/** Whether what was written is safe. */
function Saving<T>({ kept, flow }: { kept: Keeper<T>; flow: string }) {
  const { t } = useTranslation("ura");
  const is = useStore(kept.store, (now) => now.is);
  const error = useStore(kept.store, (now) => now.error);
  const why = useWhy();
  const client = useQueryClient();
  useEffect(() => {
    if (is === "saved") return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [is]);
  const insist = async () => {
    const { draft_revision } = await client.fetchQuery({ ...ofFlow(flow), staleTime: 0 });
    await kept.insist(draft_revision);
  };
  return (
    <div className={css.saving} role="status" data-is={is}>
      {is === "saved" && <IconCheck size={15} aria-hidden="true" />}
      {(is === "changed" || is === "saving") && <IconCloudUpload size={15} aria-hidden="true" />}
      <span>{is === "failed" ? why(error) : t(`saving.${is}`)}</span>
      {is === "failed" && (
        <Button size="compact-sm" variant="default" onClick={() => void kept.flush()}>
          {t("saving.again")}
        </Button>
      )}
      {is === "conflict" && (
        <>
          <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
            {t("saving.theirs")}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => void insist()}>
            {t("saving.mine")}
          </Button>
        </>
      )}
    </div>
  );
}

/** Lets callers hear the draft, or says why it cannot be. */
function Publish<T>({ flow, kept }: { flow: Flow; kept: Keeper<T> | undefined }) {
  const { t } = useTranslation("ura");
  const { t: core } = useTranslation();
  const client = useQueryClient();
  const why = useWhy();
  const [isAsked, setIsAsked] = useState(false);
  const publish = useMutation({
    mutationFn: async () => {
      const params = { path: { id: flow.id } };
      return asked(api.POST("/api/v1/flows/{id}/publish", { params }));
    },
    onSuccess: async (made) => {
      setIsAsked(false);
      notice(t("publish.done", { version: made.published }));
      await client.invalidateQueries({ queryKey: ["flows"] });
    },
    onError: (error) => notice(why(error)),
  });
  const ask = async () => {
    if (kept === undefined || (await kept.flush())) setIsAsked(true);
  };
  return (
    <>
      <Button leftSection={<IconRocket size={16} aria-hidden="true" />} onClick={() => void ask()}>
        {t("publish.open")}
      </Button>
      {isAsked && (
        <Modal
          opened
          onClose={() => setIsAsked(false)}
          title={t("publish.title", { name: flow.name })}
          closeButtonProps={{ "aria-label": core("failed.close") }}
        >
          <Verdict
            flow={flow}
            publish={() => publish.mutate()}
            isGoing={publish.isPending}
            close={() => setIsAsked(false)}
          />
        </Modal>
      )}
    </>
  );
}

type VerdictProps = { flow: Flow; publish: () => void; isGoing: boolean; close: () => void };

function Verdict({ flow, publish, isGoing, close }: VerdictProps) {
  const { t } = useTranslation("ura");
  const { data: now } = useQuery({ ...draft(flow.id), staleTime: 0 });
  const { data: found } = useQuery({
    ...question(flow.id, now?.revision ?? 0),
    enabled: now !== undefined,
  });
  const published = flow.published ?? 0;
  const { data: then } = useQuery({ ...version(flow.id, published), enabled: published > 0 });
  const title = (node: string) => now?.flow.layout?.[node]?.title || node;
  const findings = found?.findings ?? [];
  const isFit = found?.publishable === true;
  return (
    <div className={css.verdict} aria-busy={found === undefined}>
      <p>{found !== undefined && !isFit ? t("publish.faults") : t("publish.text")}</p>
      {isFit && now !== undefined && then !== undefined && (
        <Changes was={then.flow} is={now.flow} />
      )}
      {findings.length > 0 && (
        <ul className={css.findings}>
          {findings.map((one) => (
            <li key={`${one.node}${one.field}${one.code}`} data-is={one.severity}>
              {one.node != null && <strong>{title(one.node)}: </strong>}
              {one.sentence}
              {one.detail !== "" && <span> ({one.detail})</span>}
            </li>
          ))}
        </ul>
      )}
      <div className={css.foot}>
        <Button variant="default" onClick={close}>
          {t("publish.cancel")}
        </Button>
        <Button data-autofocus disabled={!isFit} loading={isGoing} onClick={publish}>
          {t("publish.open")}
        </Button>
      </div>
    </div>
  );
}

/** What is kept, as it is. */
export function useKept<T>(kept: Keeper<T>): Kept<T> {
  return useStore(kept.store, (now) => now);
}
