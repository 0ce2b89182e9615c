import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, Refused } from "../../api/client";
import { services } from "../../api/questions";
import { notice, useWhy } from "../../parts/notices";
import { everOpens, type FlowLanguage, firstForm } from "./document";
import { calendars, flows } from "./questions";
import css from "./ura.module.css";

/** A new URA: a name is enough, the form is filled in with what the company has. */
export function Create({ close }: { close: () => void }) {
  const { t, i18n } = useTranslation("ura");
  const { t: core } = useTranslation();
  const [name, setName] = useState("");
  const { data: all } = useQuery(services);
  const { data: kept } = useQuery(calendars);
  const client = useQueryClient();
  const navigate = useNavigate();
  const why = useWhy();
  const make = useMutation({
    mutationFn: () => {
      const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const sorted = [...(all ?? [])].sort((a, b) => a.name.localeCompare(b.name));
      const calendar = kept?.find((one) => everOpens(one.hours));
      const simple = firstForm({
        language: i18n.language as FlowLanguage,
        hours:
          calendar === undefined
            ? { inline: { time_zone, schedule: "always" } }
            : { id: calendar.id },
        services: sorted.map((one) => ({ service: one.id, name: one.name })),
        texts: {
          welcome: t("first.welcome"),
          closed: t("first.closed"),
          unanswered: t("first.unanswered"),
        },
      });
      const body = { name: name.trim(), simple: simple as unknown as Record<string, never> };
      return asked(api.POST("/api/v1/flows", { body }));
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: flows.queryKey });
      close();
      await navigate({ to: "/ura/$flow", params: { flow: made.id } });
    },
    onError: (error) => {
      if (!(error instanceof Refused && error.code === "invalid_name")) notice(why(error));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  const lacksServices = all?.length === 0;
  return (
    <Modal
      opened
      onClose={close}
      title={t("create.title")}
      closeButtonProps={{ "aria-label": core("failed.close") }}
    >
      <form className={css.verdict} onSubmit={submit}>
        <TextInput
          data-autofocus
          label={t("create.name")}
          placeholder={t("create.example")}
          maxLength={100}
          required
          value={name}
          error={
            make.error instanceof Refused &&
            make.error.code === "invalid_name" &&
            make.error.message
          }
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <p className={lacksServices ? css.warn : css.hint}>
          {t(lacksServices ? "services.noneAtAll" : "create.text")}
        </p>
        <div className={css.foot}>
          <Button variant="default" onClick={close}>
            {t("publish.cancel")}
          </Button>
          <Button
            type="submit"
            disabled={name.trim() === "" || all === undefined || lacksServices}
            loading={make.isPending}
          >
            {t("create.make")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
