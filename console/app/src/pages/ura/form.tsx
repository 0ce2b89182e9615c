import { Button, NativeSelect, Skeleton } from "@mantine/core";
import { IconRoute } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { questions } from "../../api/asking";
import { api, asked } from "../../api/client";
import { may } from "../../api/may";
import { services as ofServices, session } from "../../api/questions";
import { Empty } from "../../parts/empty";
import { Answers } from "./answers";
import { type Form, type FormField, fieldOf, isSilent, type Say } from "./document";
import { Head, useKept } from "./head";
import { Hours } from "./hours";
import { type Keeper, keeper } from "./keeper";
import { Listen } from "./listen";
import { Message, soundOf, Voice } from "./message";
import { Order } from "./order";
import { draft, findings as ofFindings, flow as ofFlow, savedOver, simple } from "./questions";
import "./styles";
import css from "./ura.module.css";

/** A URA as a form. */
export function FormPage() {
  const { flow: id = "" } = useParams({ strict: false });
  const { data: me } = useQuery(session);
  const { data: flow } = useQuery(ofFlow(id));
  // What was read before the page was opened is not what one begins with.
  const { data: found, isFetchedAfterMount } = useQuery({ ...simple(id), staleTime: 0 });
  const mayWrite = may(me, "flows", "change");
  if (flow === undefined || found === undefined || !isFetchedAfterMount) return <Waiting />;
  if (found === null) {
    return (
      <div className={css.page}>
        <Head flow={flow} mayWrite={mayWrite} />
        <NotSimple id={id} />
      </div>
    );
  }
  return (
    <Editing key={id} id={id} revision={found.revision} form={found.form} mayWrite={mayWrite} />
  );
}

function Waiting() {
  return (
    <div className={css.page} aria-busy="true">
      <div className={css.form}>
        <Skeleton height={34} width={280} />
        <Skeleton height={120} radius="lg" />
        <Skeleton height={120} radius="lg" />
        <Skeleton height={180} radius="lg" />
      </div>
    </div>
  );
}

function NotSimple({ id }: { id: string }) {
  const { t } = useTranslation("ura");
  return (
    <Empty
      icon={<IconRoute size={44} stroke={1.3} />}
      title={t("form.notSimple")}
      text={t("form.notSimpleText")}
    >
      <Button
        renderRoot={(props) => <Link to="/ura/$flow/flow" params={{ flow: id }} {...props} />}
      >
        {t("form.openFlow")}
      </Button>
    </Empty>
  );
}

type Given = { id: string; revision: number; form: Form; mayWrite: boolean };

/** The form as it is written, kept from now on. */
function useForm({ id, revision, form }: Given): Keeper<Form> {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was read first is what is written on.
  const kept = useMemo(
    () =>
      keeper(revision, form, async (revision, form) => {
        const params = { path: { id } };
        const body = { revision, form: form as unknown as Record<string, never> };
        const saved = asked(api.PUT("/api/v1/flows/{id}/simple", { params, body }));
        const next = await savedOver(saved);
        void questions.invalidateQueries({ queryKey: draft(id).queryKey });
        return next;
      }),
    [id],
  );
  useEffect(() => () => void kept.flush(), [kept]);
  return kept;
}

function Editing(given: Given) {
  const { t } = useTranslation("ura");
  const { id, mayWrite } = given;
  const kept = useForm(given);
  const { value: form, revision } = useKept(kept);
  const { data: flow } = useQuery(ofFlow(id));
  const { data: all = [] } = useQuery(ofServices);
  const faultAt = useFaults(id, revision, form);
  const isFixed = !mayWrite;
  const language = form.language ?? "pt-BR";
  const change = (part: Partial<Form>) => kept.change({ ...form, ...part });
  const message = (field: "welcome" | "closed" | "unanswered") => (
    <section className={css.part}>
      <h2>{t(`form.${field}`)}</h2>
      <p className={css.hint}>{t(`form.${field}Text`)}</p>
      <Message
        label={t(`form.${field}`)}
        value={form[field]}
        change={(say) => change({ [field]: say })}
        language={language}
        voice={form.voice}
        fault={faultAt(field)}
        isFixed={isFixed}
      />
    </section>
  );
  if (flow === undefined) return <Waiting />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <div className={css.page} tabIndex={0}>
      <Head flow={flow} kept={mayWrite ? kept : undefined} mayWrite={mayWrite} />
      <div className={css.form}>
        <Answers flow={flow} mayWrite={mayWrite} />
        <section className={css.part}>
          <h2>{t("form.hours")}</h2>
          <p className={css.hint}>{t("form.hoursText")}</p>
          <Hours
            value={form.hours}
            change={(hours) => change({ hours })}
            fault={faultAt("hours")}
            isFixed={isFixed}
          />
        </section>
        {message("welcome")}
        <section className={css.part}>
          <h2>{t("form.services")}</h2>
          <p className={css.hint}>{t("form.servicesText")}</p>
          <Order
            form={form}
            all={all}
            change={(services) => change({ services })}
            fault={(place) => faultAt("services", place)}
            isFixed={isFixed}
          />
          {form.services.length === 0 && (
            <p className={css.fault} role="alert">
              {t(all.length === 0 ? "services.noneAtAll" : "services.none")}
            </p>
          )}
          {form.services.length > 1 && (
            <Menu id={id} form={form} change={change} fault={faultAt("menu")} isFixed={isFixed} />
          )}
        </section>
        {message("unanswered")}
        {message("closed")}
        <section className={css.part}>
          <h2>{t("form.speech")}</h2>
          <div className={css.pair}>
            <NativeSelect
              label={t("form.language")}
              value={language}
              disabled={isFixed}
              onChange={(event) =>
                change({ language: event.currentTarget.value as NonNullable<Form["language"]> })
              }
            >
              {(["pt-BR", "en", "es"] as const).map((one) => (
                <option key={one} value={one}>
                  {t(`language.${one}`)}
                </option>
              ))}
            </NativeSelect>
            <Voice
              label={t("form.voice")}
              value={form.voice}
              language={language}
              isFixed={isFixed}
              change={(voice) => change({ voice: voice === "" ? null : voice })}
            />
          </div>
        </section>
      </div>
    </div>
  );
}

type MenuProps = {
  id: string;
  form: Form;
  change: (part: Partial<Form>) => void;
  fault: string | undefined;
  isFixed: boolean;
};

/** What the menu says, by itself or by a recording, and the key that says it again. */
function Menu({ id, form, change, fault, isFixed }: MenuProps) {
  const { t } = useTranslation("ura");
  const { data: now } = useQuery({ ...draft(id), placeholderData: keepPreviousData });
  const language = form.language ?? "pt-BR";
  const node = now?.flow.nodes.menu;
  const said: Say | undefined = node?.kind === "menu" ? node.say[0] : undefined;
  const { menu } = form;
  return (
    <div className={css.menu}>
      <NativeSelect
        label={t("menu.again")}
        value={form.repeat_key ?? ""}
        disabled={isFixed}
        onChange={({ currentTarget: { value } }) =>
          change({ repeat_key: value === "" ? null : value })
        }
      >
        <option value="">{t("menu.noKey")}</option>
        {[..."90*#"].map((key) => (
          <option key={key} value={key}>
            {t("menu.key", { key })}
          </option>
        ))}
      </NativeSelect>
      {menu == null ? (
        <div className={css.automatic}>
          <div>
            <h3>{t("menu.says")}</h3>
            <p>{said?.kind === "text" ? `“${said.text}”` : "…"}</p>
            {fault !== undefined && <p className={css.fault}>{fault}</p>}
          </div>
          <Listen
            sound={said && soundOf(said, language, form.voice)}
            label={t("message.listen", { name: t("menu.says") })}
          />
        </div>
      ) : (
        <div className={css.said}>
          <h3>{t("menu.says")}</h3>
          <Message
            label={t("menu.says")}
            value={menu}
            change={(say) => change({ menu: say })}
            language={language}
            voice={form.voice}
            fault={fault}
            isFixed={isFixed}
          />
        </div>
      )}
      {!isFixed && (
        <Button
          variant="subtle"
          size="compact-sm"
          className={css.own ?? ""}
          onClick={() => change({ menu: menu == null ? { kind: "text", text: "" } : null })}
        >
          {t(menu == null ? "menu.own" : "menu.automatic")}
        </Button>
      )}
    </div>
  );
}

/** What is wrong with the form, at its fields: what is missing at once, the rest once it is saved. */
function useFaults(id: string, revision: number, form: Form) {
  const { t } = useTranslation("ura");
  const { data: found } = useQuery({
    ...ofFindings(id, revision),
    placeholderData: keepPreviousData,
  });
  return (field: FormField, place?: number): string | undefined => {
    const say = field === "hours" || field === "services" ? undefined : form[field];
    if (say != null && isSilent(say)) return t("form.missing");
    if (field === "services" && place !== undefined && form.services[place]?.name.trim() === "") {
      return t("services.noName");
    }
    const one = found?.findings.find((finding) => {
      const at = fieldOf(finding);
      return at?.field === field && at.place === place;
    });
    return one?.sentence;
  };
}
