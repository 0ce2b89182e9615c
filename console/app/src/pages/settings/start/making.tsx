import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { useWhy } from "../../../parts/notices";
import { type FlowLanguage, firstForm } from "../../ura/document";
import { flows, numbers, users } from "../kept";
import { showOnce } from "../parts/once";
import parts from "../parts/parts.module.css";
import { password } from "../parts/secret";
import { EMPTY as PERSON, people } from "../people/resource";
import { EMPTY as SERVICE, services, staffed } from "../services/resource";
import css from "./start.module.css";

type Named = { id: string; name: string };

/** Makes something with a button, and says why it could not be. */
function Making({
  label,
  can,
  make,
  made,
  children,
}: {
  label: string;
  can: boolean;
  make: () => Promise<unknown>;
  /** What is asked anew. */
  made: string;
  children?: ReactNode;
}) {
  const client = useQueryClient();
  const why = useWhy();
  const making = useMutation({
    mutationFn: make,
    onSuccess: () => client.invalidateQueries({ queryKey: [made] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (can && !making.isPending) making.mutate();
  };
  return (
    <form className={css.making} onSubmit={submit}>
      {children}
      <Button type="submit" disabled={!can} loading={making.isPending}>
        {label}
      </Button>
      {making.error !== null && (
        <p className={parts.wrong} role="alert">
          {why(making.error)}
        </p>
      )}
    </form>
  );
}

export function ServiceStep() {
  const { t } = useTranslation("settings");
  const [name, setName] = useState("");
  return (
    <>
      <p className={css.text}>{t("start.about.service")}</p>
      <Making
        label={t("start.make.service")}
        can={name.trim() !== ""}
        make={() => staffed.create({ ...SERVICE, name: name.trim() })}
        made={services.key}
      >
        <TextInput
          label={t("start.serviceName")}
          placeholder={t("start.serviceExample")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </Making>
    </>
  );
}

export function AgentStep({ services: all }: { services: readonly Named[] }) {
  const { t } = useTranslation("settings");
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const make = async () => {
    const secret = password();
    const chosen = all.map(({ id }) => id);
    await people.create({
      ...PERSON,
      name: name.trim(),
      email,
      password: secret,
      services: chosen,
    });
    showOnce({
      title: t("start.agentMade"),
      text: t("start.agentMadeText"),
      values: [
        { label: t("users.email"), value: email },
        { label: t("users.password"), value: secret },
      ],
    });
  };
  return (
    <>
      <p className={css.text}>{t("start.about.agent")}</p>
      <Making
        label={t("start.make.agent")}
        can={name.trim() !== "" && email.includes("@")}
        make={make}
        made={users.key}
      >
        <TextInput
          label={t("name")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={t("users.email")}
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
      </Making>
    </>
  );
}

export function UraStep({ services: all }: { services: readonly Named[] }) {
  const { t, i18n } = useTranslation("settings");
  const make = async () => {
    const simple = firstForm({
      language: i18n.language as FlowLanguage,
      hours: {
        inline: {
          time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
          schedule: "always",
        },
      },
      services: all.map(({ id, name }) => ({ service: id, name })),
      texts: {
        welcome: t("start.welcome"),
        closed: t("start.closed"),
        unanswered: t("start.unanswered"),
      },
    });
    const body = { name: t("start.uraName"), simple: simple as unknown as Record<string, never> };
    const made = await asked(api.POST("/api/v1/flows", { body }));
    await asked(api.POST("/api/v1/flows/{id}/publish", { params: { path: { id: made.id } } }));
  };
  return (
    <>
      <p className={css.text}>{t("start.about.ura")}</p>
      <Making label={t("start.make.ura")} can make={make} made={flows.key} />
    </>
  );
}

export function NumberStep({ flow }: { flow: string | undefined }) {
  const { t } = useTranslation("settings");
  const [number, setNumber] = useState("");
  return (
    <>
      <p className={css.text}>
        {t("start.about.number")}{" "}
        <Link to="/settings/$section" params={{ section: "trunks" }}>
          {t("start.trunk")}
        </Link>
      </p>
      <Making
        label={t("start.make.number")}
        can={number.trim() !== "" && flow !== undefined}
        make={() =>
          numbers.create({ number: number.trim(), name: t("start.uraName"), flow: flow ?? null })
        }
        made={numbers.key}
      >
        <TextInput
          label={t("numbers.number")}
          placeholder="+551130001000"
          inputMode="tel"
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
        />
      </Making>
    </>
  );
}
