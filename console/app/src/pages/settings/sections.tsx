// All that can be set, in the order in which people meet it, and the page of each.

import {
  IconAddressBook,
  IconBan,
  IconBolt,
  IconBrandWhatsapp,
  IconBuilding,
  IconBuildingCommunity,
  IconClock,
  IconCoffee,
  IconDeviceLandlinePhone,
  IconHistory,
  IconKey,
  IconMail,
  IconMessageCircle,
  IconPhone,
  IconPlugConnected,
  IconRocket,
  IconShieldLock,
  IconStars,
  IconTopologyStar3,
  IconUsers,
  IconUsersGroup,
  IconWebhook,
} from "@tabler/icons-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

import type { Session } from "../../api/client";
import { type Area, may } from "../../api/may";

type Page = LazyExoticComponent<ComponentType<object>>;
type PageOfOne = LazyExoticComponent<ComponentType<{ id: string }>>;
type Icon = ComponentType<{ size?: number; stroke?: number }>;

export type Section = {
  /** Its address. */
  readonly id: string;
  readonly icon: Icon;
  /** The list, or the only page. */
  readonly Page: Page;
  /** One of the list. */
  readonly One?: PageOfOne;
};

/** A page that is loaded when it is opened. */
function page<Props>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => ({ default: await load() }));
}

const whatsapp = () => import("./channels/whatsapp");
const email = () => import("./channels/email");
const generic = () => import("./channels/generic");
const webchat = () => import("./channels/webchat");
const keys = () => import("./access/keys");
const webhooks = () => import("./access/webhooks");
const shownProfiles = () => import("./people/profiles");
const numbers = () => import("./phone/numbers");
const trunks = () => import("./phone/trunks");
const routes = () => import("./phone/routes");
const calendars = () => import("./calendars/calendars");
const replies = () => import("./replies/replies");
const pauses = () => import("./pauses/pauses");
const skills = () => import("./people/skills");
const companies = () => import("./company/companies");
const devices = () => import("./people/devices");

export const GROUPS = {
  first: [
    {
      id: "start",
      icon: IconRocket,
      Page: page(async () => (await import("./start/start")).Start),
    },
  ],
  channels: [
    {
      id: "channels",
      icon: IconTopologyStar3,
      Page: page(async () => (await import("./channels/channels")).Channels),
    },
    {
      id: "numbers",
      icon: IconPhone,
      Page: page(async () => (await numbers()).Numbers),
      One: page(async () => (await numbers()).NumberPage),
    },
    {
      id: "whatsapp",
      icon: IconBrandWhatsapp,
      Page: page(async () => (await whatsapp()).WhatsApps),
      One: page(async () => (await whatsapp()).WhatsApp),
    },
    {
      id: "email",
      icon: IconMail,
      Page: page(async () => (await email()).Emails),
      One: page(async () => (await email()).Email),
    },
    {
      id: "generic",
      icon: IconPlugConnected,
      Page: page(async () => (await generic()).Generics),
      One: page(async () => (await generic()).Generic),
    },
    {
      id: "webchat",
      icon: IconMessageCircle,
      Page: page(async () => (await webchat()).Webchats),
      One: page(async () => (await webchat()).Webchat),
    },
  ],
  service: [
    {
      id: "services",
      icon: IconUsersGroup,
      Page: page(async () => (await import("./services/services")).Services),
      One: page(async () => (await import("./services/service")).Service),
    },
    {
      id: "calendars",
      icon: IconClock,
      Page: page(async () => (await calendars()).Calendars),
      One: page(async () => (await calendars()).Calendar),
    },
    {
      id: "quick-replies",
      icon: IconBolt,
      Page: page(async () => (await replies()).Replies),
      One: page(async () => (await replies()).ReplyPage),
    },
    {
      id: "pauses",
      icon: IconCoffee,
      Page: page(async () => (await pauses()).Pauses),
      One: page(async () => (await pauses()).Pause),
    },
  ],
  people: [
    {
      id: "users",
      icon: IconUsers,
      Page: page(async () => (await import("./people/users")).Users),
      One: page(async () => (await import("./people/user")).User),
    },
    {
      id: "skills",
      icon: IconStars,
      Page: page(async () => (await skills()).Skills),
      One: page(async () => (await skills()).Skill),
    },
    {
      id: "devices",
      icon: IconDeviceLandlinePhone,
      Page: page(async () => (await devices()).Devices),
      One: page(async () => (await devices()).Device),
    },
  ],
  customers: [
    {
      id: "contacts",
      icon: IconAddressBook,
      Page: page(async () => (await import("./contacts/contacts")).Contacts),
      One: page(async () => (await import("./contacts/contact")).ContactPage),
    },
    {
      id: "blocked",
      icon: IconBan,
      Page: page(async () => (await import("./contacts/blocked")).Blocked),
    },
  ],
  integrations: [
    {
      id: "api-keys",
      icon: IconKey,
      Page: page(async () => (await keys()).Keys),
      One: page(async () => (await keys()).KeyPage),
    },
    {
      id: "webhooks",
      icon: IconWebhook,
      Page: page(async () => (await webhooks()).Webhooks),
      One: page(async () => (await webhooks()).WebhookPage),
    },
  ],
  security: [
    {
      id: "profiles",
      icon: IconShieldLock,
      Page: page(async () => (await shownProfiles()).Profiles),
      One: page(async () => (await shownProfiles()).ProfilePage),
    },
    {
      id: "companies",
      icon: IconBuildingCommunity,
      Page: page(async () => (await companies()).Companies),
      One: page(async () => (await companies()).OneCompany),
    },
    {
      id: "company",
      icon: IconBuilding,
      Page: page(async () => (await import("./company/company")).CompanyPage),
    },
    {
      id: "audit",
      icon: IconHistory,
      Page: page(async () => (await import("./access/audit")).Audit),
    },
  ],
} as const satisfies Record<string, readonly Section[]>;

/** Pages that are reached from another of the list, under which they stand. */
const BELOW: readonly (Section & { under: string })[] = [
  {
    id: "users-import",
    under: "users",
    icon: IconUsers,
    Page: page(async () => (await import("./people/import")).ImportUsers),
  },
  {
    id: "trunks",
    under: "numbers",
    icon: IconPhone,
    Page: page(async () => (await trunks()).Trunks),
    One: page(async () => (await trunks()).Trunk),
  },
  {
    id: "routes",
    under: "numbers",
    icon: IconPhone,
    Page: page(async () => (await routes()).Routes),
    One: page(async () => (await routes()).Route),
  },
  {
    id: "calling",
    under: "numbers",
    icon: IconPhone,
    Page: page(async () => (await import("./phone/calling")).Calling),
  },
  {
    id: "recordings",
    under: "numbers",
    icon: IconPhone,
    Page: page(async () => (await import("./phone/recordings")).Recordings),
  },
];

/** Whose area each is; what comes first is of all of them. */
const AREAS: Readonly<Record<string, Area>> = {
  channels: "channels",
  numbers: "channels",
  whatsapp: "channels",
  email: "channels",
  generic: "channels",
  webchat: "channels",
  devices: "channels",
  services: "services",
  calendars: "services",
  "quick-replies": "services",
  pauses: "services",
  skills: "services",
  users: "people",
  profiles: "people",
  contacts: "contacts",
  blocked: "contacts",
  "api-keys": "integrations",
  webhooks: "integrations",
  audit: "audit",
  company: "company",
};

/** Whether somebody has something to set there. */
export function isFor(who: Session | null | undefined, id: string): boolean {
  // Companies are made by who belongs to none.
  if (id === "companies") return who?.company === null && may(who, "company", "change");
  const area = AREAS[listedAs(id)];
  if (area !== undefined) return may(who, area, "change");
  return Object.values(AREAS).every((one) => may(who, one, "change"));
}

/** The first of the list that somebody has something to set in. */
export function firstFor(who: Session | null | undefined): string {
  const all: readonly Section[] = Object.values(GROUPS).flat();
  return all.find(({ id }) => isFor(who, id))?.id ?? "";
}

export function section(id: string): Section | undefined {
  const all: readonly Section[] = [...Object.values(GROUPS).flat(), ...BELOW];
  return all.find((one) => one.id === id);
}

/** Which of the list is open with a section. */
export function listedAs(id: string): string {
  return BELOW.find((one) => one.id === id)?.under ?? id;
}
