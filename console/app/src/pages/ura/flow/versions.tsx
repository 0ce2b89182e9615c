import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { may } from "../../../api/may";
import { session } from "../../../api/questions";
import { Empty } from "../../../parts/empty";
import { notice, useWhy } from "../../../parts/notices";
import type { Document } from "../document";
import { Head } from "../head";
import { draft, flow as ofFlow, versions } from "../questions";
import "../styles";
import page from "../ura.module.css";
import { Changes } from "./changes";
import css from "./versions.module.css";

type Flow = Schemas["Flow"];

/** What was published, the newest first, and in what it differs from something else. */
export function VersionsPage() {
  const { flow: id = "" } = useParams({ strict: false });
  const { data: me } = useQuery(session);
  const { data: flow } = useQuery(ofFlow(id));
  const { data: all } = useQuery(versions(id));
  const { data: now } = useQuery(draft(id));
  const { t } = useTranslation("ura");
  const mayWrite = may(me, "flows", "change");
  if (flow === undefined || all === undefined || now === undefined) {
    return <Skeleton height="100%" radius={0} />;
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <div className={page.page} tabIndex={0}>
      <Head flow={flow} mayWrite={mayWrite} />
      {all.length === 0 ? (
        <Empty
          icon={<IconHistory size={44} stroke={1.3} />}
          title={t("versions.none")}
          text={t("versions.noneText")}
        />
      ) : (
        <Compared flow={flow} all={all} now={now.flow} mayWrite={mayWrite} />
      )}
    </div>
  );
}

type Version = { version: number; flow: Document; published_ms: number };
type ComparedProps = { flow: Flow; all: readonly Version[]; now: Document; mayWrite: boolean };

/** The draft, among the versions. */
const DRAFT = "draft";

function Compared({ flow, all, now, mayWrite }: ComparedProps) {
  const { t, i18n } = useTranslation("ura");
  const [chosen, setChosen] = useState<string>(DRAFT);
  const [other, setOther] = useState<string>();
  const before = (of: string) => {
    if (of === DRAFT) return String(flow.published ?? all[0]?.version);
    return all.find((one) => one.version < Number(of))?.version.toString() ?? DRAFT;
  };
  const against = other ?? before(chosen);
  const documentOf = (of: string) =>
    of === DRAFT ? now : all.find((one) => String(one.version) === of)?.flow;
  const nameOf = (of: string) =>
    of === DRAFT ? t("versions.draft") : t("versions.version", { version: of });
  const [was, is] = [documentOf(against), documentOf(chosen)];
  const at = new Intl.DateTimeFormat(i18n.language, { dateStyle: "medium", timeStyle: "short" });
  const choose = (of: string) => {
    setChosen(of);
    setOther(undefined);
  };
  return (
    <div className={css.versions}>
      <ul className={css.list}>
        <li>
          <button
            type="button"
            aria-pressed={chosen === DRAFT}
            className={css.line}
            onClick={() => choose(DRAFT)}
          >
            <strong>{t("versions.draft")}</strong>
            <small>{at.format(flow.updated_ms)}</small>
          </button>
        </li>
        {all.map((one) => (
          <li key={one.version}>
            <button
              type="button"
              aria-pressed={chosen === String(one.version)}
              className={css.line}
              onClick={() => choose(String(one.version))}
            >
              <strong>
                {t("versions.version", { version: one.version })}
                {one.version === flow.published && <em>{t("versions.current")}</em>}
              </strong>
              <small>{at.format(one.published_ms)}</small>
            </button>
          </li>
        ))}
      </ul>
      <section className={css.changes} aria-label={nameOf(chosen)}>
        <header>
          <h2>{t("versions.changes", { name: nameOf(chosen) })}</h2>
          <NativeSelect
            label={t("versions.against")}
            value={against}
            onChange={(event) => setOther(event.currentTarget.value)}
          >
            {[DRAFT, ...all.map((one) => String(one.version))]
              .filter((one) => one !== chosen)
              .map((one) => (
                <option key={one} value={one}>
                  {nameOf(one)}
                </option>
              ))}
          </NativeSelect>
        </header>
        {was !== undefined && is !== undefined && <Changes was={was} is={is} />}
        {mayWrite && chosen !== DRAFT && is !== undefined && (
          <Deeds flow={flow} version={Number(chosen)} document={is} />
        )}
      </section>
    </div>
  );
}

type DeedsProps = { flow: Flow; version: number; document: Document };

/** Lets calls follow a version again, or goes on from it. */
function Deeds({ flow, version, document }: DeedsProps) {
  const { t } = useTranslation("ura");
  const client = useQueryClient();
  const navigate = useNavigate();
  const why = useWhy();
  const params = { path: { id: flow.id } };
  const anew = () => client.invalidateQueries({ queryKey: ["flows"] });
  const onError = (error: unknown) => notice(why(error));
  const follow = useMutation({
    mutationFn: () =>
      asked(api.POST("/api/v1/flows/{id}/roll-back", { params, body: { version } })),
    onSuccess: () => {
      notice(t("versions.followed", { version }));
      return anew();
    },
    onError,
  });
  const take = useMutation({
    mutationFn: () => {
      const flowOf = document as unknown as Record<string, never>;
      const body = { revision: flow.draft_revision, flow: flowOf };
      return asked(api.PUT("/api/v1/flows/{id}/draft", { params, body }));
    },
    onSuccess: async () => {
      notice(t("versions.taken", { version }));
      await anew();
      await navigate({ to: "/ura/$flow/flow", params: { flow: flow.id } });
    },
    onError,
  });
  return (
    <footer>
      <Button variant="default" loading={take.isPending} onClick={() => take.mutate()}>
        {t("versions.take")}
      </Button>
      {version !== flow.published && (
        <Button loading={follow.isPending} onClick={() => follow.mutate()}>
          {t("versions.follow")}
        </Button>
      )}
    </footer>
  );
}
