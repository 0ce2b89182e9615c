import { Button, PasswordInput, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import encode from "qr";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, Refused, type Schemas } from "../../api/client";
import { secondFactor } from "../../api/questions";
import { notice, useWhy } from "../../parts/notices";
import css from "./account.module.css";

type Secret = Schemas["OfferedSecret"];

type Step =
  | { is: "none" }
  /** Who does this is asked for their password once more. */
  | { is: "confirming"; what: "begin" | "end" }
  | { is: "scanning"; secret: Secret }
  | { is: "noting"; codes: readonly string[] };

/** Whether a code of one's telephone is asked for beside the password. */
export function SecondFactor() {
  const { t, i18n } = useTranslation("account");
  const { data: own } = useQuery(secondFactor);
  const [step, setStep] = useState<Step>({ is: "none" });
  const none = () => setStep({ is: "none" });
  const date = new Intl.DateTimeFormat(i18n.language, { dateStyle: "long" });
  const isOn = own?.since_ms != null;
  return (
    <section className={css.section}>
      <h2>{t("factor.title")}</h2>
      <p>{t("factor.text")}</p>
      {own === undefined && <Skeleton height={36} width={220} />}
      {own !== undefined && step.is === "none" && (
        <>
          <p className={css.state} data-on={isOn}>
            <i />
            {own.since_ms == null
              ? t("factor.off")
              : t("factor.on", { date: date.format(own.since_ms) })}
          </p>
          {isOn && <p>{t("factor.left", { count: own.recovery_codes_left })}</p>}
          <Button
            className={css.button}
            variant={isOn ? "default" : "filled"}
            onClick={() => setStep({ is: "confirming", what: isOn ? "end" : "begin" })}
          >
            {isOn ? t("factor.end") : t("factor.begin")}
          </Button>
        </>
      )}
      {step.is === "confirming" && (
        <Confirming
          what={step.what}
          offered={(secret) => setStep({ is: "scanning", secret })}
          close={none}
        />
      )}
      {step.is === "scanning" && (
        <Scanning
          secret={step.secret}
          begun={(codes) => setStep({ is: "noting", codes })}
          close={none}
        />
      )}
      {step.is === "noting" && <Noting codes={step.codes} close={none} />}
    </section>
  );
}

type ConfirmingProps = {
  what: "begin" | "end";
  offered: (secret: Secret) => void;
  close: () => void;
};

function Confirming({ what, offered, close }: ConfirmingProps) {
  const { t } = useTranslation("account");
  const { t: core } = useTranslation();
  const why = useWhy();
  const client = useQueryClient();
  const [password, setPassword] = useState("");
  const go = useMutation({
    mutationFn: async () => {
      const body = { password };
      if (what === "begin") {
        offered(await asked(api.POST("/api/v1/session/second-factor", { body })));
        return;
      }
      await asked(api.POST("/api/v1/session/second-factor/end", { body }));
      await client.invalidateQueries({ queryKey: secondFactor.queryKey });
      notice(t("factor.ended"));
      close();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    go.mutate();
  };
  const isWrong = go.error instanceof Refused && go.error.status === 401;
  return (
    <form className={css.form} onSubmit={submit}>
      <PasswordInput
        autoFocus
        required
        withAsterisk={false}
        label={t("factor.confirm")}
        autoComplete="current-password"
        visibilityToggleButtonProps={{ "aria-label": core("login.show") }}
        error={go.error !== null && (isWrong ? t("factor.wrong") : why(go.error))}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <div className={css.foot}>
        <Button variant="default" onClick={close}>
          {t("factor.cancel")}
        </Button>
        <Button type="submit" color={what === "end" ? "red.9" : "teal"} loading={go.isPending}>
          {what === "end" ? t("factor.end") : t("factor.next")}
        </Button>
      </div>
    </form>
  );
}

type ScanningProps = {
  secret: Secret;
  begun: (codes: readonly string[]) => void;
  close: () => void;
};

function Scanning({ secret, begun, close }: ScanningProps) {
  const { t } = useTranslation("account");
  const why = useWhy();
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const go = useMutation({
    mutationFn: async () => {
      const body = { code: code.replace(/\s/g, "") };
      const { recovery_codes } = await asked(api.PUT("/api/v1/session/second-factor", { body }));
      await client.invalidateQueries({ queryKey: secondFactor.queryKey });
      begun(recovery_codes);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    go.mutate();
  };
  const copy = async () => {
    await navigator.clipboard.writeText(secret.secret);
    notice(t("factor.copied"));
  };
  const isWrong = go.error instanceof Refused && go.error.status === 401;
  return (
    <form className={css.scan} onSubmit={submit}>
      <QrCode text={secret.uri} />
      <div className={css.form}>
        <p>{t("factor.scan")}</p>
        <p>
          {t("factor.typed")}
          <code className={css.secret}>{secret.secret.match(/.{1,4}/g)?.join(" ")}</code>
        </p>
        <Button className={css.button} variant="default" size="xs" onClick={() => void copy()}>
          {t("factor.copy")}
        </Button>
        <TextInput
          autoFocus
          required
          withAsterisk={false}
          inputMode="numeric"
          autoComplete="one-time-code"
          label={t("factor.code")}
          error={go.error !== null && (isWrong ? t("factor.wrongCode") : why(go.error))}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <div className={css.foot}>
          <Button variant="default" onClick={close}>
            {t("factor.cancel")}
          </Button>
          <Button type="submit" loading={go.isPending}>
            {t("factor.activate")}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** What an app reads: dark on light by day and by night, or it reads nothing. */
function QrCode({ text }: { text: string }) {
  const { t } = useTranslation("account");
  const rows = encode(text, "raw");
  const path = rows
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join("");
  return (
    <svg
      className={css.qr}
      viewBox={`-2 -2 ${rows.length + 4} ${rows.length + 4}`}
      role="img"
      aria-label={t("factor.qr")}
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#000" />
    </svg>
  );
}

function Noting({ codes, close }: { codes: readonly string[]; close: () => void }) {
  const { t } = useTranslation("account");
  const copy = async () => {
    await navigator.clipboard.writeText(codes.join("\n"));
    notice(t("factor.codesCopied"));
  };
  return (
    <div className={css.form}>
      <h3>{t("factor.codes")}</h3>
      <p>{t("factor.codesText")}</p>
      <ul className={css.codes}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className={css.foot}>
        <Button variant="default" onClick={() => void copy()}>
          {t("factor.copyCodes")}
        </Button>
        <Button onClick={close}>{t("factor.done")}</Button>
      </div>
    </div>
  );
}
