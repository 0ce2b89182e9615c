// A person with all that is set of them: the services whose work they take, what they can do, whereto they may hand
// work. It is kept at several addresses and set together.

import { api, asked, type Schemas } from "../../../api/client";
import { users } from "../kept";
import type { Item, Resource, Settings } from "../parts/resource";
import { services } from "../services/resource";

type More = {
  services: string[];
  skills: Schemas["SkillLevel"][];
  transfers: Schemas["TransferRights"];
};

export type Person = Item<"/api/v1/users"> & More;

export type PersonSettings = Settings<"/api/v1/users"> & More;

export const EMPTY: PersonSettings = {
  name: "",
  email: "",
  password: "",
  role: "agent",
  profile: null,
  locale: "pt-BR",
  disabled: false,
  services: [],
  skills: [],
  transfers: { agents: true, services: null },
};

const of = (id: string) => ({ params: { path: { id } } });

/** Who takes the work of each service. */
async function staff(): Promise<{ service: string; agents: string[] }[]> {
  const { items } = await services.page();
  return Promise.all(
    items.map(async ({ id }) => {
      const { agents } = await asked(api.GET("/api/v1/services/{id}/agents", of(id)));
      return { service: id, agents };
    }),
  );
}

/** Puts a person to the services, and takes them from all others. */
async function serve(person: string, wanted: readonly string[]): Promise<void> {
  for (const { service, agents } of await staff()) {
    const isThere = agents.includes(person);
    if (isThere === wanted.includes(service)) continue;
    const others = agents.filter((agent) => agent !== person);
    const body = { agents: isThere ? others : [...agents, person] };
    await asked(api.PUT("/api/v1/services/{id}/agents", { ...of(service), body }));
  }
}

async function set(id: string, { services, skills, transfers }: More): Promise<void> {
  await serve(id, services);
  const given = skills.filter(({ skill }) => skill !== "");
  await asked(api.PUT("/api/v1/agents/{id}/skills", { ...of(id), body: { skills: given } }));
  await asked(api.PUT("/api/v1/agents/{id}/transfers", { ...of(id), body: transfers }));
}

async function read(id: string): Promise<Person> {
  const [user, serving, { skills }, transfers] = await Promise.all([
    users.read(id),
    staff(),
    asked(api.GET("/api/v1/agents/{id}/skills", of(id))),
    asked(api.GET("/api/v1/agents/{id}/transfers", of(id))),
  ]);
  const taken = serving.filter(({ agents }) => agents.includes(id));
  return { ...user, services: taken.map(({ service }) => service), skills, transfers };
}

function split({ services, skills, transfers, ...user }: PersonSettings) {
  const { password, ...rest } = user;
  const asked = password == null || password === "" ? rest : user;
  return { user: asked, more: { services, skills, transfers } };
}

export const people: Resource<Person, PersonSettings> = {
  key: users.key,
  page: async () => ({ items: [] }),
  read,
  create: async (settings) => {
    const { user, more } = split(settings);
    const made = await users.create(user);
    await set(made.id, more);
    return read(made.id);
  },
  change: async (id, settings) => {
    const { user, more } = split(settings);
    await users.change(id, user);
    await set(id, more);
    return read(id);
  },
  remove: users.remove,
};
