import { Button } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { notice, useWhy } from "../../../parts/notices";
import { Detail } from "../parts/detail";
import { ChoiceField, Group, TextField } from "../parts/fields";
import { List } from "../parts/list";
import { showOnce } from "../parts/once";
import { State } from "../parts/page";
import { type Resource, resource, type Settings } from "../parts/resource";

const keys = resource("/api/v1/api-keys");

type Key = Schemas["ApiKey"];
type KeySettings = Settings<"/api/v1/api-keys">;

/** A key is made and revoked, never changed; one is read from the list. */
const made: Resource<Key, KeySettings, Schemas["ApiKeyCreated"]> = {
  ...keys,
  read: async (id) => {
    let after: string | undefined;
    for (;;) {
      const page = await keys.page(after);
      const found = page.items.find((key) => key.id === id);
      if (found !== undefined || page.next == null) return found as Key;
      after = page.next;
    }
  },
  create: async (body) => asked(api.POST("/api/v1/api-keys", { body })),
};

const DAY_MS = 86_400_000;
const TERMS = [30, 90, 365] as const;
const SCOPES = ["read", "write", "admin"] as const;

/** Keys with which other systems ask. */
export function Keys() {
  const { t, i18n } = useTranslation("settings");
  const format = new Intl.DateTimeFormat(i18n.language, { dateStyle: "short" });
  return (
    <List
      resource={made}
      section="api-keys"
      title={t("section.api-keys")}
      text={t("apiKeys.text")}
      icon={<IconKey size={36} stroke={1.4} />}
      add={t("apiKeys.add")}
      nothing={{ title: t("apiKeys.none"), text: t("apiKeys.noneText") }}
      name={(key) => key.name}
      words={(key) => key.prefix}
      columns={[
        { name: t("apiKeys.begins"), of: ({ prefix }) => <code>{prefix}…</code>, narrow: true },
        {
          name: t("apiKeys.scope"),
          of: ({ channel, scopes }) =>
            channel == null
              ? t(`apiKeys.scopes.${(scopes.at(-1) ?? "read") as "read"}`)
              : t("apiKeys.ofChannel"),
          narrow: true,
        },
        {
          name: t("apiKeys.lastUsed"),
          of: ({ last_used_ms }) =>
            last_used_ms == null ? t("keys.unused") : format.format(last_used_ms),
        },
        { name: t("state"), of: (key) => <KeyState of={key} /> },
      ]}
    />
  );
}

function KeyState({ of }: { of: Key }) {
  const { t } = useTranslation("settings");
  if (of.revoked_ms != null) return <State is="off">{t("apiKeys.revoked")}</State>;
  if (of.expires_ms != null && of.expires_ms < Date.now()) {
    return <State is="off">{t("apiKeys.expired")}</State>;
  }
  return <State is="good">{t("on")}</State>;
}

export function KeyPage({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  return (
    <Detail
      resource={made}
      section="api-keys"
      id={id}
      list={t("section.api-keys")}
      added={t("apiKeys.add")}
      name={(key) => key.name}
      empty={{ name: "", scopes: ["write"], expires_ms: null }}
      body={({ name, scopes, expires_ms = null }) => ({ name, scopes, expires_ms })}
      made={({ name, key }) =>
        showOnce({
          title: t("keys.made"),
          text: t("keys.madeText"),
          values: [{ label: name, value: key }],
        })
      }
    >
      {(form, key) =>
        key === undefined ? (
          <Group title={t("apiKeys.about")} text={t("apiKeys.aboutText")}>
            <TextField of={form} at="name" label={t("name")} hint={t("apiKeys.nameHint")} />
            <ChoiceField
              of={{
                value: { scope: form.value.scopes.at(-1) ?? "read" },
                set: ({ scope = "read" }: { scope?: string }) => form.set({ scopes: [scope] }),
                why: () => form.why("scopes"),
              }}
              at="scope"
              label={t("apiKeys.scope")}
              options={SCOPES.map((value) => ({ value, label: t(`apiKeys.scopes.${value}`) }))}
            />
            <ChoiceField
              of={{
                value: { term: term(form.value.expires_ms) },
                set: ({ term }: { term?: string | null }) =>
                  form.set({
                    expires_ms: term == null ? null : Date.now() + Number(term) * DAY_MS,
                  }),
                why: () => form.why("expires_ms"),
              }}
              at="term"
              label={t("apiKeys.term")}
              options={TERMS.map((days) => ({
                value: String(days),
                label: t("apiKeys.days", { count: days }),
              }))}
              none={t("apiKeys.forever")}
            />
          </Group>
        ) : (
          <Kept of={key} />
        )
      }
    </Detail>
  );
}

function term(expires_ms?: number | null): string | null {
  if (expires_ms == null) return null;
  return String(Math.round((expires_ms - Date.now()) / DAY_MS));
}

function Kept({ of }: { of: Key }) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const why = useWhy();
  const revoking = useMutation({
    mutationFn: () => keys.remove(of.id),
    onSuccess: () => client.invalidateQueries({ queryKey: [keys.key] }),
    onError: (error) => notice(why(error)),
  });
  return (
    <Group title={t("apiKeys.about")} text={t("apiKeys.keptText")}>
      <p>
        <code>{of.prefix}…</code> <KeyState of={of} />
      </p>
      {of.revoked_ms == null && (
        <div>
          <Button
            color="red"
            variant="light"
            loading={revoking.isPending}
            onClick={() => revoking.mutate()}
          >
            {t("keys.revoke")}
          </Button>
        </div>
      )}
    </Group>
  );
}
