import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, Refused } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import css from "./account.module.css";

/** As short as a password may be, in characters. */
const PASSWORD_MIN = 12;

const NOTHING = { current: "", fresh: "", again: "" };

/** Another password for oneself. */
export function Password() {
  const { t } = useTranslation("account");
  const { t: core } = useTranslation();
  const why = useWhy();
  const [given, setGiven] = useState(NOTHING);
  const [isTried, setIsTried] = useState(false);
  const change = useMutation({
    mutationFn: () =>
      asked(
        api.PUT("/api/v1/session/password", {
          body: { current: given.current, new: given.fresh },
        }),
      ),
    onSuccess: () => {
      setGiven(NOTHING);
      setIsTried(false);
      notice(t("password.saved"));
    },
  });
  const isShort = [...given.fresh].length < PASSWORD_MIN;
  const isOther = given.fresh !== given.again;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setIsTried(true);
    if (!isShort && !isOther && given.current !== "") change.mutate();
  };
  const { error } = change;
  const isWrong = error instanceof Refused && error.status === 401;
  const field = (name: keyof typeof NOTHING) => ({
    value: given[name],
    required: true,
    withAsterisk: false,
    visibilityToggleButtonProps: { "aria-label": core("login.show") },
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) => {
      change.reset();
      setGiven((before) => ({ ...before, [name]: value }));
    },
  });
  return (
    <section className={css.section}>
      <h2>{t("password.title")}</h2>
      <p>{t("password.text")}</p>
      <form className={css.form} onSubmit={submit}>
        <PasswordInput
          {...field("current")}
          label={t("password.current")}
          autoComplete="current-password"
          error={isWrong && t("password.wrong")}
        />
        <PasswordInput
          {...field("fresh")}
          label={t("password.fresh")}
          description={t("password.rule")}
          autoComplete="new-password"
          error={isTried && isShort && t("password.short")}
        />
        <PasswordInput
          {...field("again")}
          label={t("password.again")}
          autoComplete="new-password"
          error={isTried && isOther && t("password.differs")}
        />
        {error !== null && !isWrong && (
          <p className={css.wrong} role="alert">
            {why(error)}
          </p>
        )}
        <Button type="submit" loading={change.isPending}>
          {t("password.save")}
        </Button>
      </form>
    </section>
  );
}
