import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconMenu2 } from "@tabler/icons-react";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Session } from "../../api/client";
import { may, setsUp } from "../../api/may";
import css from "./shell.module.css";

/** The pages that somebody may see. Whoever watches takes work, too, where they are an agent of a service. */
function pages(me: Session, isAgent: boolean) {
  return [
    { to: "/work", word: "work", isSeen: isAgent || me.role === "agent" },
    { to: "/wall", word: "wall", isSeen: may(me, "desk", "view") },
    { to: "/trace", word: "trace", isSeen: may(me, "interactions", "view") },
    { to: "/reports", word: "reports", isSeen: may(me, "reports", "view") },
    { to: "/ura", word: "ura", isSeen: may(me, "flows", "view") },
    { to: "/prompts", word: "prompts", isSeen: may(me, "flows", "view") },
    { to: "/settings", word: "settings", isSeen: setsUp(me) },
  ] as const;
}

/** More than these stand side by side in a wide window only. */
const FEW = 4;

/** Where one can go: side by side, and under one button where there is no room. */
export function Nav({ me, isAgent }: { me: Session; isAgent: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const seen = pages(me, isAgent).filter(({ isSeen }) => isSeen);
  const open = seen.find(({ to }) => path.startsWith(to));
  return (
    <nav className={css.nav} aria-label={t("nav.main")} data-many={seen.length > FEW}>
      <div className={css.links}>
        {seen.map(({ to, word }) => (
          <Link key={to} to={to}>
            {t(`nav.${word}`)}
          </Link>
        ))}
      </div>
      <Menu position="bottom-start" width={220} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <UnstyledButton className={css.pages} disabled={seen.length < 2}>
            <IconMenu2 size={19} stroke={1.7} aria-hidden="true" />
            <span>{open === undefined ? t("nav.pages") : t(`nav.${open.word}`)}</span>
            <IconChevronDown size={14} aria-hidden="true" />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          {seen.map(({ to, word }) => (
            <Menu.Item
              key={to}
              aria-current={to === open?.to ? "page" : undefined}
              onClick={() => void navigate({ to })}
            >
              {t(`nav.${word}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
