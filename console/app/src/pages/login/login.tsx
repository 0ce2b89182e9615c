import { Button, PasswordInput, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, Refused } from "../../api/client";
import { begin, session } from "../../api/questions";
import { Mark } from "../../parts/mark";
import { useWhy } from "../../parts/notices";
import { LANGUAGES, type Language, speakIn } from "../../words/words";
import { begun, hasEnded } from "../shell/ended";
import css from "./login.module.css";

/** Where people show who they are. */
export function Login() {
  const { t, i18n } = useTranslation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [isAskedCode, setIsAskedCode] = useState(false);
  const [isBack] = useState(hasEnded);
  const field = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const client = useQueryClient();
  const why = useWhy();
  const entering = useMutation({
    mutationFn: () => {
      const body = { email, password, ...(isAskedCode ? { code: code.trim() } : {}) };
      return asked(api.POST("/api/v1/session", { body }));
    },
    onSuccess: async (found) => {
      begun(found.user);
      await begin(found);
      client.setQueryData(session.queryKey, found);
      await navigate({ to: "/" });
    },
    onError: (error) => {
      if (error instanceof Refused && error.code === "second_factor_required") setIsAskedCode(true);
      else field.current?.select();
    },
  });
  useEffect(() => {
    document.title = t("name");
  }, [t]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!entering.isPending) entering.mutate();
  };
  const { error } = entering;
  const isWrong = error instanceof Refused && error.code === "bad_login";
  const isAsked = error instanceof Refused && error.code === "second_factor_required";
  return (
    <main className={css.page}>
      <div className={css.box}>
        <div className={css.head}>
          <Mark size={40} />
          <h1>{t("login.title")}</h1>
          <p>{t("login.subtitle")}</p>
        </div>
        <form className={css.form} onSubmit={submit}>
          {isBack && !entering.isError && <p className={css.ended}>{t("login.ended")}</p>}
          <TextInput
            label={t("login.email")}
            type="email"
            autoComplete="username"
            size="md"
            required
            withAsterisk={false}
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            ref={field}
            label={t("login.password")}
            autoComplete="current-password"
            size="md"
            required
            withAsterisk={false}
            value={password}
            visibilityToggleButtonProps={{ "aria-label": t("login.show") }}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {isAskedCode && (
            <TextInput
              label={t("login.code")}
              description={t("login.codeText")}
              autoComplete="one-time-code"
              size="md"
              required
              withAsterisk={false}
              autoFocus
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
          )}
          {error !== null && !isAsked && (
            <p className={css.wrong} role="alert">
              {isWrong ? t("login.wrong") : why(error)}
            </p>
          )}
          <Button type="submit" size="md" loading={entering.isPending}>
            {t("login.enter")}
          </Button>
        </form>
        <div className={css.foot}>
          {(Object.keys(LANGUAGES) as Language[]).map((one) => (
            <UnstyledButton
              key={one}
              lang={one}
              aria-pressed={i18n.language === one}
              onClick={() => void speakIn(one)}
            >
              {LANGUAGES[one]}
            </UnstyledButton>
          ))}
        </div>
      </div>
    </main>
  );
}
