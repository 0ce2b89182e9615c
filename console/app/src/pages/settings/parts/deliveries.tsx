import { Button, SegmentedControl, UnstyledButton } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { notice, useWhy } from "../../../parts/notices";
import { Group } from "./fields";
import { Loading } from "./list";
import { State } from "./page";
import css from "./parts.module.css";

type Of = "channels" | "webhooks";
type Delivery = Schemas["Listed_Delivery"]["items"][number];

const STATES = ["all", "failed", "parked", "done"] as const;

type Sought = (typeof STATES)[number];

/** What a webhook was told and is told, and the way to tell it again. */
export function Deliveries({ of, id }: { of: Of; id: string }) {
  const { t } = useTranslation("settings");
  const [state, setState] = useState<Sought>("all");
  const [open, setOpen] = useState<string>();
  const queryKey = ["deliveries", of, id];
  const found = useInfiniteQuery({
    queryKey: [...queryKey, state],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Schemas["Listed_Delivery"]) => last.next ?? undefined,
    queryFn: ({ pageParam: after }) => {
      const query = {
        limit: 30,
        ...(after === undefined ? {} : { after }),
        ...(state === "all" ? {} : { state }),
      };
      return asked(api.GET(`/api/v1/${of}/{id}/deliveries`, { params: { path: { id }, query } }));
    },
  });
  const again = useAgain(of, id);
  const all = found.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Group title={t("deliveries.title")} text={t("deliveries.text")}>
      <div className={css.bar}>
        <SegmentedControl
          size="xs"
          aria-label={t("state")}
          value={state}
          data={STATES.map((value) => ({ value, label: t(`deliveries.is.${value}`) }))}
          onChange={(value) => setState(value as Sought)}
        />
        <Button
          variant="default"
          size="xs"
          loading={again.isPending}
          onClick={() => again.mutate({ state: "failed" })}
        >
          {t("deliveries.againAll")}
        </Button>
      </div>
      {found.isPending && <Loading />}
      {found.isSuccess && all.length === 0 && <p className={css.said}>{t("deliveries.none")}</p>}
      {all.length > 0 && (
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{t("deliveries.event")}</th>
              <th scope="col" data-narrow="true">
                {t("deliveries.at")}
              </th>
              <th scope="col">{t("state")}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <Fragment key={one.id}>
                <Line
                  one={one}
                  isOpen={open === one.id}
                  toggle={() => setOpen(open === one.id ? undefined : one.id)}
                />
                {open === one.id && (
                  <tr>
                    <td colSpan={3}>
                      <Told one={one} again={() => again.mutate({ id: one.id })} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
      {found.hasNextPage && (
        <Button
          variant="default"
          loading={found.isFetching}
          onClick={() => void found.fetchNextPage()}
        >
          {t("more")}
        </Button>
      )}
    </Group>
  );
}

function useAgain(of: Of, id: string) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const why = useWhy();
  return useMutation({
    mutationFn: (body: Schemas["Which"]) =>
      asked(api.POST(`/api/v1/${of}/{id}/deliveries/replay`, { params: { path: { id } }, body })),
    onSuccess: ({ replayed }) => {
      notice(t("deliveries.replayed", { count: replayed }));
      return client.invalidateQueries({ queryKey: ["deliveries", of, id] });
    },
    onError: (error) => notice(why(error)),
  });
}

const LOOKS = { done: "good", parked: "bad", waiting: "warn" } as const;

function Line({ one, isOpen, toggle }: { one: Delivery; isOpen: boolean; toggle: () => void }) {
  const { t, i18n } = useTranslation("settings");
  const is = one.state in LOOKS ? (one.state as keyof typeof LOOKS) : "waiting";
  const format = new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "short",
    timeStyle: "medium",
  });
  return (
    <tr>
      <th scope="row">
        <UnstyledButton className={css.open} aria-expanded={isOpen} onClick={toggle}>
          {one.event}
        </UnstyledButton>
      </th>
      <td data-narrow="true">{format.format(one.created_ms)}</td>
      <td>
        <State is={LOOKS[is]}>
          {t(`deliveries.state.${is}`)}
          {one.status != null && ` · ${one.status}`}
        </State>
      </td>
    </tr>
  );
}

function Told({ one, again }: { one: Delivery; again: () => void }) {
  const { t, i18n } = useTranslation("settings");
  const format = new Intl.DateTimeFormat(i18n.language, { timeStyle: "medium" });
  return (
    <div className={css.told}>
      <ol>
        {one.tries.map((tried) => (
          <li key={tried.at_ms}>
            {format.format(tried.at_ms)} · {tried.status ?? "–"} · {tried.answer}
          </li>
        ))}
      </ol>
      {one.body != null && <pre>{one.body}</pre>}
      <Button variant="default" size="xs" onClick={again}>
        {t("deliveries.again")}
      </Button>
    </div>
  );
}
