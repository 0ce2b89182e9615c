import "./mantine";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { session } from "../../api/questions";
import { speaking } from "../../words/words";
import css from "./frame.module.css";
import { Loading } from "./parts/list";
import { ShownOnce } from "./parts/once";
import parts from "./parts/parts.module.css";
import { firstFor, GROUPS, isFor, listedAs, section } from "./sections";

type Group = keyof typeof GROUPS;

/** Everything that can be set: what there is on the left, the page of it on the right. */
export function Settings() {
  const { t } = useTranslation("settings");
  const { section: open, id } = useParams({ strict: false });
  const { data: me } = useQuery(session);
  const groups = (Object.keys(GROUPS) as Group[])
    .map((group) => ({ group, of: GROUPS[group].filter(({ id }) => isFor(me, id)) }))
    .filter(({ of }) => of.length > 0);
  return (
    <div className={css.frame} data-open={open !== undefined}>
      <nav className={css.side} aria-label={t("title")}>
        <h1 className={css.title}>{t("title")}</h1>
        {groups.map(({ group, of }) => (
          <section key={group}>
            {group !== "first" && <h2>{t(`group.${group}`)}</h2>}
            <ul>
              {of.map(({ id, icon: Icon }) => (
                <li key={id}>
                  <Link
                    to="/settings/$section"
                    params={{ section: id }}
                    data-open={listedAs(open ?? "start") === id}
                  >
                    <Icon size={18} stroke={1.7} />
                    {t(id === "numbers" ? "phone.title" : `section.${id}`)}
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
      <div className={css.content}>
        {open !== undefined && id === undefined && (
          <Link className={css.up} to="/settings">
            <IconArrowLeft size={16} aria-hidden="true" />
            {t("title")}
          </Link>
        )}
        <Suspense fallback={<Waiting />}>{open === undefined ? <First /> : <Outlet />}</Suspense>
        <ShownOnce />
      </div>
    </div>
  );
}

/** Where one comes to first: what is to be done next, or the first that one may set. */
function First() {
  const { data: me } = useQuery(session);
  const Page = section(firstFor(me))?.Page;
  return Page === undefined ? <Nothing /> : <Page />;
}

function Waiting() {
  return (
    <div className={parts.page}>
      <Loading />
    </div>
  );
}

/** The list of a section, or its only page. */
export function SectionPage() {
  const { section: id } = useParams({ from: "/inside/settings/$section" });
  const found = section(id);
  if (found === undefined) return <Nothing />;
  return (
    <Own section={id}>
      <found.Page key={id} />
    </Own>
  );
}

/** One of a list. */
export function ThingPage() {
  const { section: name, id } = useParams({ from: "/inside/settings/$section/$id" });
  const found = section(name);
  if (found?.One === undefined) return <Nothing />;
  return (
    <Own section={name}>
      <found.One key={id} id={id} />
    </Own>
  );
}

/** What is set there is for those who may set it; others are told so. */
function Own({ section, children }: { section: string; children: ReactNode }) {
  const { data: me } = useQuery(session);
  return isFor(me, section) ? children : <NotYours page="section" />;
}

const NotYours = lazy(speaking("closed", () => import("../../parts/closed")));

function Nothing() {
  const { t } = useTranslation("settings");
  return <p className={css.nothing}>{t("gone")}</p>;
}
