import { ActionIcon, Button, Skeleton, TextInput } from "@mantine/core";
import { IconCut, IconPencil, IconTrash, IconX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import { promptUrl } from "../ura/listen";
import { prompts } from "../ura/questions";
import { Hear } from "./hear";
import { languageOf, seconds } from "./page";
import css from "./prompts.module.css";
import { Recording } from "./recording";
import type { Use } from "./uses";
import { loudness } from "./wav";
import { Written } from "./written";

const Wave = lazy(() => import("./wave"));

type Prompt = Schemas["Prompt"];

type Props = {
  prompt: Prompt;
  uses: readonly Use[];
  mayWrite: boolean;
  open: (made: Prompt) => void;
};

/** One prompt: heard as it was made and as the telephone gives it, published, used where. */
export function One({ prompt, uses, mayWrite, open }: Props) {
  const { t, i18n } = useTranslation("ura");
  const [making, setMaking] = useState<"cut" | "text">();
  const [name, setName] = useState(prompt.name);
  const { publish, rename, remove } = useDeeds(prompt);
  const isDraft = prompt.state !== "published";
  // What is published does not change: a draft of a text is spoken anew, of all else another is made.
  const changes = prompt.kind === "text" && isDraft ? prompt : undefined;
  const done = (made: Prompt) => {
    setMaking(undefined);
    open(made);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <aside className={css.one} aria-label={prompt.name} tabIndex={0}>
      <header>
        {mayWrite ? (
          <TextInput
            className={css.rename ?? ""}
            aria-label={t("prompts.name")}
            value={name}
            maxLength={100}
            onChange={(event) => setName(event.currentTarget.value)}
            onBlur={() => name.trim() !== prompt.name && name.trim() !== "" && rename.mutate(name)}
          />
        ) : (
          <h2>{prompt.name}</h2>
        )}
        <ActionIcon
          component={Link}
          to="/prompts"
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t("prompts.close")}
        >
          <IconX size={18} aria-hidden="true" />
        </ActionIcon>
      </header>
      <Suspense fallback={<Skeleton height={88} />}>
        <Wave key={prompt.updated_ms} source={`${promptUrl(prompt.id, "original")}`} />
      </Suspense>
      <Hear prompt={prompt} />
      {prompt.text !== "" && <p className={css.said}>“{prompt.text}”</p>}
      <dl className={css.facts}>
        <div>
          <dt>{t("prompts.state")}</dt>
          <dd>{t(isDraft ? "prompts.draft" : "prompts.published")}</dd>
        </div>
        <div>
          <dt>{t("form.language")}</dt>
          <dd>{t(`language.${languageOf(prompt)}`)}</dd>
        </div>
        <div>
          <dt>{t("prompts.long")}</dt>
          <dd>{seconds(prompt.duration_ms)}</dd>
        </div>
        {prompt.loudness_lufs != null && (
          <div>
            <dt>{t("prompts.loudness")}</dt>
            <dd>
              {t("prompts.lufs", {
                value: new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(
                  prompt.loudness_lufs,
                ),
              })}
              <small>{t(`prompts.loud.${loudness(prompt.loudness_lufs)}`)}</small>
            </dd>
          </div>
        )}
        <div>
          <dt>{t("prompts.used")}</dt>
          <dd>
            {uses.length === 0 && t("prompts.unused")}
            {uses.map((use) =>
              use.kind === "flow" ? (
                <Link key={use.id} to="/ura/$flow" params={{ flow: use.id }}>
                  {t("prompts.inFlow", { name: use.name })}
                </Link>
              ) : (
                <span key={use.id}>{t("prompts.inService", { name: use.name })}</span>
              ),
            )}
          </dd>
        </div>
      </dl>
      {mayWrite && (
        <div className={css.foot}>
          <Button
            variant="subtle"
            color="red"
            leftSection={<IconTrash size={16} aria-hidden="true" />}
            loading={remove.isPending}
            onClick={() => remove.mutate()}
          >
            {t("prompts.remove")}
          </Button>
          {prompt.kind === "text" ? (
            <Button
              variant="default"
              leftSection={<IconPencil size={16} aria-hidden="true" />}
              onClick={() => setMaking("text")}
            >
              {t(isDraft ? "prompts.change" : "prompts.another")}
            </Button>
          ) : (
            <Button
              variant="default"
              leftSection={<IconCut size={16} aria-hidden="true" />}
              onClick={() => setMaking("cut")}
            >
              {t("prompts.cut")}
            </Button>
          )}
          {isDraft && (
            <Button loading={publish.isPending} onClick={() => publish.mutate()}>
              {t("publish.open")}
            </Button>
          )}
        </div>
      )}
      {making === "text" && (
        <Written of={prompt} changes={changes} close={() => setMaking(undefined)} done={done} />
      )}
      {making === "cut" && (
        <Recording
          source={promptUrl(prompt.id, "original")}
          of={prompt}
          close={() => setMaking(undefined)}
          done={done}
        />
      )}
    </aside>
  );
}

function useDeeds(prompt: Prompt) {
  const { t } = useTranslation("ura");
  const client = useQueryClient();
  const navigate = useNavigate();
  const why = useWhy();
  const params = { path: { id: prompt.id } };
  const anew = () => client.invalidateQueries({ queryKey: prompts.queryKey });
  const onError = (error: unknown) => notice(why(error));
  const publish = useMutation({
    mutationFn: () => asked(api.POST("/api/v1/prompts/{id}/publish", { params })),
    onSuccess: () => {
      notice(t("prompts.nowPublished", { name: prompt.name }));
      return anew();
    },
    onError,
  });
  const rename = useMutation({
    mutationFn: (name: string) =>
      asked(api.PATCH("/api/v1/prompts/{id}", { params, body: { name: name.trim() } })),
    onSuccess: anew,
    onError,
  });
  const remove = useMutation({
    mutationFn: () => asked(api.DELETE("/api/v1/prompts/{id}", { params })),
    onSuccess: async () => {
      notice(t("prompts.removed", { name: prompt.name }));
      await anew();
      await navigate({ to: "/prompts" });
    },
    onError,
  });
  return { publish, rename, remove };
}
