import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { session } from "../../../api/questions";
import { LANGUAGES } from "../../../words/words";
import { profiles, skills } from "../kept";
import { Detail } from "../parts/detail";
import {
  ChoiceField,
  Group,
  ManyField,
  NumberField,
  Row,
  SwitchField,
  TextField,
  useOptions,
} from "../parts/fields";
import { type Form, type Part, part } from "../parts/form";
import { Lines } from "../parts/lines";
import { showOnce } from "../parts/once";
import { password } from "../parts/secret";
import { services } from "../services/resource";
import { Devices } from "./own";
import { EMPTY, type Person, type PersonSettings, people } from "./resource";
import { SecondFactor } from "./second";

type Props = { form: Form<PersonSettings> };

/** A person: who they are, what they may, which work they take. */
export function User({ id }: { id: string }) {
  const { t } = useTranslation("settings");
  const { data: me } = useQuery(session);
  const isMe = me?.user === id;
  return (
    <Detail
      resource={people}
      section="users"
      id={id}
      list={t("section.users")}
      added={t("users.add")}
      name={(user) => user.name}
      empty={EMPTY}
      body={body}
      actions={(user) =>
        isMe || !user.second_factor ? null : <SecondFactor id={user.id} name={user.name} />
      }
      {...(isMe ? {} : { remove: () => <p>{t("users.remove")}</p> })}
    >
      {(form, user) => (
        <>
          <About form={form} isMe={isMe} />
          <Login form={form} isNew={user === undefined} />
          <Work form={form} />
          <Skilled form={form} />
          {user !== undefined && (
            <Group title={t("section.devices")} text={t("users.devicesText")}>
              <Devices user={user} />
            </Group>
          )}
        </>
      )}
    </Detail>
  );
}

function body({ name, email, role, profile = null, locale, disabled, ...more }: Person) {
  const { services, skills, transfers } = more;
  return { name, email, role, profile, locale, disabled, services, skills, transfers };
}

const ROLES = ["agent", "supervisor", "administrator"] as const;

function About({ form, isMe }: Props & { isMe: boolean }) {
  const { t } = useTranslation("settings");
  const known = useOptions(profiles);
  const locales = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }));
  return (
    <Group title={t("users.about")}>
      <TextField of={form} at="name" label={t("name")} />
      <TextField of={form} at="email" label={t("users.email")} inputMode="email" />
      <Row>
        <ChoiceField
          of={form as Part<{ role: string }>}
          at="role"
          label={t("users.role")}
          disabled={isMe}
          options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
        />
        <ChoiceField of={form} at="locale" label={t("users.locale")} options={locales} />
      </Row>
      <p>{t(`roleHint.${form.value.role}`)}</p>
      {!isMe && (
        <ChoiceField
          of={form}
          at="profile"
          label={t("users.profile")}
          options={known}
          none={t("users.byRole")}
        />
      )}
      {!isMe && (
        <SwitchField of={form} at="disabled" not label={t("on")} hint={t("users.onHint")} />
      )}
    </Group>
  );
}

function Login({ form, isNew }: Props & { isNew: boolean }) {
  const { t } = useTranslation("settings");
  const make = () => {
    const made = password();
    form.set({ password: made });
    showOnce({
      title: t("users.newPassword"),
      text: t("users.newPasswordText"),
      values: [{ label: t("users.password"), value: made }],
    });
  };
  return (
    <Group title={t("users.login")} text={t(isNew ? "users.loginNew" : "users.loginText")}>
      <TextField
        of={form}
        at="password"
        label={t(isNew ? "users.password" : "users.newPassword")}
        hint={t("users.passwordHint")}
        secret
      />
      <div>
        <Button variant="default" onClick={make}>
          {t("users.make")}
        </Button>
      </div>
    </Group>
  );
}

function Work({ form }: Props) {
  const { t } = useTranslation("settings");
  const known = useOptions(services);
  const transfers = part(form, "transfers");
  const isLimited = transfers.value.services != null;
  const limit = {
    value: { everywhere: !isLimited },
    set: ({ everywhere }: { everywhere?: boolean }) =>
      transfers.set({ services: everywhere ? null : [] }),
    why: () => undefined,
  };
  return (
    <Group title={t("users.work")} text={t("users.workText")}>
      <ManyField
        of={form}
        at="services"
        label={t("section.services")}
        options={known}
        none={t("users.noServices")}
      />
      <SwitchField of={transfers} at="agents" label={t("users.toAgents")} />
      <SwitchField of={limit} at="everywhere" label={t("users.toAll")} />
      {isLimited && (
        <ManyField
          of={transfers as Part<{ services?: string[] }>}
          at="services"
          label={t("services.toServices")}
          options={known}
          none={t("services.toNone")}
        />
      )}
    </Group>
  );
}

function Skilled({ form }: Props) {
  const { t } = useTranslation("settings");
  const known = useOptions(skills);
  return (
    <Group title={t("section.skills")} text={t("users.skillsText")}>
      <Lines
        of={form}
        at="skills"
        label={t("section.skills")}
        hint={t("users.levelHint")}
        add={t("users.addSkill")}
        blank={{ skill: "", level: 100 }}
      >
        {(line) => (
          <>
            <ChoiceField of={line} at="skill" label={t("users.skill")} options={known} />
            <NumberField
              of={line}
              at="level"
              label={t("users.level")}
              empty={1}
              min={1}
              max={255}
            />
          </>
        )}
      </Lines>
    </Group>
  );
}
