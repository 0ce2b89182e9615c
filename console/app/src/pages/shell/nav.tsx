import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconMenu2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Session } from "../../api/client";
import { type Page, sees } from "../../api/may";
import { agency } from "../../api/questions";
import css from "./shell.module.css";

const PAGES: readonly Page[] = ["work", "wall", "trace", "reports", "ura", "prompts", "settings"];

/** The pages that somebody may see. Whoever watches may take work, too, where they are an agent of a service. */
function usePages(me: Session): readonly Page[] {
  const { data: agent } = useQuery(agency(me.user));
  const isAgent = me.role === "agent" || agent != null;
  return PAGES.filter((page) => (page === "work" ? isAgent : sees(me, page)));
}

/** More than these stand side by side in a wide window only. */
const FEW = 4;

/** Where one can go: side by side, and under one button where there is no room. */
export function Nav({ me }: { me: Session }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const pages = usePages(me);
  const open = pages.find((page) => path.startsWith(`/${page}`));
  return (
    <nav className={css.nav} aria-label={t("nav.main")} data-many={pages.length > FEW}>
      <div className={css.links}>
        {pages.map((page) => (
          <Link key={page} to={`/${page}`}>
            {t(`nav.${page}`)}
          </Link>
        ))}
      </div>
      <Menu position="bottom-start" width={220} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <UnstyledButton className={css.pages} disabled={pages.length < 2}>
            <IconMenu2 size={19} stroke={1.7} aria-hidden="true" />
            <span>{open === undefined ? t("nav.pages") : t(`nav.${open}`)}</span>
            <IconChevronDown size={14} aria-hidden="true" />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          {pages.map((page) => (
            <Menu.Item
              key={page}
              aria-current={page === open ? "page" : undefined}
              onClick={() => void navigate({ to: `/${page}` })}
            >
              {t(`nav.${page}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
