// Which page stands under which address, and who may see it.

import { useQuery } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { questions } from "./api/asking";
import { firstPage, type Page, sees } from "./api/may";
import { agency, services, session } from "./api/questions";
import { read as readWanted } from "./pages/reports/address";
import { read, readTab } from "./pages/trace/address";
import { read as readShown } from "./pages/wall/address";
import { Broken } from "./parts/broken";
import { speaking } from "./words/words";

/** A page that is loaded when it is opened. Who may not see it is told so in its place. */
function only(page: Page, load: Parameters<typeof lazyRouteComponent>[0], name: string) {
  const Found = lazyRouteComponent(load, name);
  function Guarded() {
    const { data: me } = useQuery(session);
    const { data: agent } = useQuery({
      ...agency(me?.user ?? ""),
      enabled: page === "work" && !!me,
    });
    const isOpen = page === "work" ? agent !== null : sees(me, page);
    if (isOpen) return <Found />;
    return (
      <Suspense>
        <NotYours page={page} />
      </Suspense>
    );
  }
  return Object.assign(Guarded, { preload: () => Found.preload?.() });
}

const NotYours = lazy(speaking("closed", () => import("./parts/closed")));

const root = createRootRoute({ component: Outlet, errorComponent: Broken });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  beforeLoad: async () => {
    const found = await questions.ensureQueryData(session);
    if (found !== null) throw redirect({ to: "/" });
  },
  component: lazyRouteComponent(() => import("./pages/login/login"), "Login"),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: async () => {
    const found = await questions.ensureQueryData(session);
    if (found === null) throw redirect({ to: "/login" });
  },
  component: lazyRouteComponent(() => import("./pages/shell/shell"), "Shell"),
});

const work = createRoute({
  getParentRoute: () => inside,
  path: "/work",
  // While the page itself is on its way.
  loader: async () => {
    const found = await questions.ensureQueryData(session);
    if (found !== null) await questions.prefetchQuery(agency(found.user));
  },
  component: only("work", () => import("./pages/work/page"), "WorkPage"),
});

const workOpen = createRoute({ getParentRoute: () => work, path: "$work" });

const wall = createRoute({
  getParentRoute: () => inside,
  path: "/wall",
  validateSearch: readShown,
  component: only(
    "wall",
    speaking("supervision", () => import("./pages/wall/wall")),
    "Wall",
  ),
});

const trace = createRoute({
  getParentRoute: () => inside,
  path: "/trace",
  validateSearch: read,
  component: only(
    "trace",
    speaking("supervision", () => import("./pages/trace/list")),
    "Trace",
  ),
});

const reports = createRoute({
  getParentRoute: () => inside,
  path: "/reports",
  validateSearch: (search) => readWanted(search, read(search)),
  component: only(
    "reports",
    speaking("supervision", () => import("./pages/reports/reports")),
    "Reports",
  ),
});

const traceOne = createRoute({
  getParentRoute: () => inside,
  path: "/trace/$interaction",
  validateSearch: readTab,
  component: lazyRouteComponent(
    speaking("supervision", () => import("./pages/trace/interaction")),
    "InteractionPage",
  ),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings",
  component: only(
    "settings",
    speaking("settings", () => import("./pages/settings/frame")),
    "Settings",
  ),
});

const settingsOf = createRoute({
  getParentRoute: () => settings,
  path: "$section",
  component: lazyRouteComponent(() => import("./pages/settings/frame"), "SectionPage"),
});

const settingsOfOne = createRoute({
  getParentRoute: () => settings,
  path: "$section/$id",
  component: lazyRouteComponent(() => import("./pages/settings/frame"), "ThingPage"),
});

const uras = createRoute({
  getParentRoute: () => inside,
  path: "/ura",
  component: only(
    "ura",
    speaking("ura", () => import("./pages/ura/list")),
    "List",
  ),
});

const ura = createRoute({
  getParentRoute: () => inside,
  path: "/ura/$flow",
  component: only(
    "ura",
    speaking("ura", () => import("./pages/ura/form")),
    "FormPage",
  ),
});

const uraFlow = createRoute({
  getParentRoute: () => inside,
  path: "/ura/$flow/flow",
  component: only(
    "ura",
    speaking("ura", () => import("./pages/ura/flow/editor")),
    "FlowPage",
  ),
});

const uraVersions = createRoute({
  getParentRoute: () => inside,
  path: "/ura/$flow/versions",
  component: only(
    "ura",
    speaking("ura", () => import("./pages/ura/flow/versions")),
    "VersionsPage",
  ),
});

const prompts = createRoute({
  getParentRoute: () => inside,
  path: "/prompts",
  component: only(
    "prompts",
    speaking("ura", () => import("./pages/prompts/page")),
    "Prompts",
  ),
});

const promptsOne = createRoute({ getParentRoute: () => prompts, path: "$prompt" });

const account = createRoute({
  getParentRoute: () => inside,
  path: "/account",
  component: lazyRouteComponent(
    speaking("account", () => import("./pages/account/account")),
    "AccountPage",
  ),
});

const elsewhere = createRoute({
  getParentRoute: () => root,
  path: "$",
  beforeLoad: () => {
    throw redirect({ to: "/" });
  },
});

/** Whose company has nothing yet is led to what comes first; agents to their work, others to what they may see. */
const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async () => {
    const found = await questions.ensureQueryData(session);
    if (found === null) throw redirect({ to: "/login" });
    if (found.role === "administrator") {
      // Whoever cannot be asked now is not kept from the rest for it.
      const all = await questions.ensureQueryData(services).catch(() => undefined);
      if (all?.length === 0) throw redirect({ to: "/settings" });
    }
    const agent = found.company == null ? null : await questions.fetchQuery(agency(found.user));
    const first = (agent?.services.length ?? 0) > 0 ? undefined : firstPage(found);
    throw redirect({ to: first === undefined ? "/work" : `/${first}` });
  },
});

export const router = createRouter({
  // Whatever a page meets, the window around it stays.
  defaultErrorComponent: Broken,
  routeTree: root.addChildren([
    home,
    login,
    inside.addChildren([
      work.addChildren([workOpen]),
      wall,
      account,
      trace,
      traceOne,
      reports,
      uras,
      ura,
      uraFlow,
      uraVersions,
      prompts.addChildren([promptsOne]),
      settings.addChildren([settingsOf, settingsOfOne]),
    ]),
    elsewhere,
  ]),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
