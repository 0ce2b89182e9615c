// Which page stands under which address, and who may see it.

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { questions } from "./api/asking";
import { type Area, may, setsUp } from "./api/may";
import { services, session } from "./api/questions";
import { read as readWanted } from "./pages/reports/address";
import { read, readTab } from "./pages/trace/address";
import { read as readShown } from "./pages/wall/address";
import { Broken } from "./parts/broken";
import { speaking } from "./words/words";

/** Nobody comes where they may see nothing. */
const sees = (area: Area) => async () => {
  const found = await questions.ensureQueryData(session);
  if (!may(found, area, "view")) throw redirect({ to: "/work" });
};

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
  component: lazyRouteComponent(() => import("./pages/work/page"), "WorkPage"),
});

const workOpen = createRoute({ getParentRoute: () => work, path: "$work" });

const wall = createRoute({
  getParentRoute: () => inside,
  path: "/wall",
  beforeLoad: sees("desk"),
  validateSearch: readShown,
  component: lazyRouteComponent(
    speaking("supervision", () => import("./pages/wall/wall")),
    "Wall",
  ),
});

const trace = createRoute({
  getParentRoute: () => inside,
  path: "/trace",
  beforeLoad: sees("interactions"),
  validateSearch: read,
  component: lazyRouteComponent(
    speaking("supervision", () => import("./pages/trace/list")),
    "Trace",
  ),
});

const reports = createRoute({
  getParentRoute: () => inside,
  path: "/reports",
  beforeLoad: sees("reports"),
  validateSearch: (search) => readWanted(search, read(search)),
  component: lazyRouteComponent(
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
  beforeLoad: async () => {
    const found = await questions.ensureQueryData(session);
    if (!setsUp(found)) throw redirect({ to: "/" });
  },
  component: lazyRouteComponent(
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
  beforeLoad: sees("flows"),
  component: lazyRouteComponent(
    speaking("ura", () => import("./pages/ura/list")),
    "List",
  ),
});

const ura = createRoute({
  getParentRoute: () => inside,
  path: "/ura/$flow",
  beforeLoad: sees("flows"),
  component: lazyRouteComponent(
    speaking("ura", () => import("./pages/ura/form")),
    "FormPage",
  ),
});

const uraFlow = createRoute({
  getParentRoute: () => inside,
  path: "/ura/$flow/flow",
  beforeLoad: sees("flows"),
  component: lazyRouteComponent(
    speaking("ura", () => import("./pages/ura/flow/editor")),
    "FlowPage",
  ),
});

const uraVersions = createRoute({
  getParentRoute: () => inside,
  path: "/ura/$flow/versions",
  beforeLoad: sees("flows"),
  component: lazyRouteComponent(
    speaking("ura", () => import("./pages/ura/flow/versions")),
    "VersionsPage",
  ),
});

const prompts = createRoute({
  getParentRoute: () => inside,
  path: "/prompts",
  beforeLoad: sees("flows"),
  component: lazyRouteComponent(
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

/** Administrators of the installation serve nobody; whose company has nothing yet is led to what comes first. */
const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async () => {
    const found = await questions.ensureQueryData(session);
    if (found?.role === "administrator") {
      // Whoever cannot be asked now is not kept from the rest for it.
      const all = await questions.ensureQueryData(services).catch(() => undefined);
      if (all?.length === 0) throw redirect({ to: "/settings" });
    }
    throw redirect({ to: found !== null && found.company == null ? "/wall" : "/work" });
  },
});

export const router = createRouter({
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
