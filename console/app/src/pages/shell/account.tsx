import { Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconKeyboard, IconLock, IconLogout } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api, asked, type Session } from "../../api/client";
import { session } from "../../api/questions";
import { Avatar } from "../../parts/avatar";
import { notice, useWhy } from "../../parts/notices";
import { LANGUAGES, type Language, speakIn } from "../../words/words";
import { leave } from "./ended";
import css from "./shell.module.css";

const LOOKS = ["light", "dark", "auto"] as const;

/** What one sets for oneself, and the way out. */
export function Account({ me, showKeys }: { me: Session; showKeys: () => void }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const client = useQueryClient();
  const navigate = useNavigate();
  const why = useWhy();
  const leaving = useMutation({
    mutationFn: () => asked(api.DELETE("/api/v1/session")),
    onSuccess: async () => {
      leave();
      client.setQueryData(session.queryKey, null);
      await navigate({ to: "/login" });
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    },
    onError: (error) => notice(why(error)),
  });
  const chosen = (is: boolean) => (is ? <IconCheck size={15} /> : undefined);
  return (
    <Menu
      position="bottom-end"
      width={230}
      withInitialFocusPlaceholder={false}
      closeOnItemClick={false}
    >
      <Menu.Target>
        <UnstyledButton className={css.account} aria-label={t("me.menu")}>
          <Avatar name={me.name} size={32} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={css.who}>
          <strong>{me.name}</strong>
          <span>{me.email}</span>
        </div>
        <Menu.Divider />
        <Menu.Label>{t("me.look")}</Menu.Label>
        {LOOKS.map((look) => (
          <Menu.Item
            key={look}
            rightSection={chosen(colorScheme === look)}
            onClick={() => setColorScheme(look)}
          >
            {t(`me.${look}`)}
          </Menu.Item>
        ))}
        <Menu.Label>{t("me.language")}</Menu.Label>
        {(Object.keys(LANGUAGES) as Language[]).map((one) => (
          <Menu.Item
            key={one}
            lang={one}
            rightSection={chosen(i18n.language === one)}
            onClick={() => void speakIn(one)}
          >
            {LANGUAGES[one]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          closeMenuOnClick
          leftSection={<IconLock size={16} />}
          onClick={() => void navigate({ to: "/account" })}
        >
          {t("me.security")}
        </Menu.Item>
        <Menu.Item
          closeMenuOnClick
          leftSection={<IconKeyboard size={16} />}
          rightSection={<span className={css.hint}>?</span>}
          onClick={showKeys}
        >
          {t("me.shortcuts")}
        </Menu.Item>
        <Menu.Item
          closeMenuOnClick
          leftSection={<IconLogout size={16} />}
          onClick={() => leaving.mutate()}
        >
          {t("me.leave")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
