// Services, with the people who take their work: set together, asked for at two addresses.

import { api, asked } from "../../../api/client";
import { type Item, type Resource, resource, type Settings } from "../parts/resource";

export const services = resource("/api/v1/services");

export type Service = Item<"/api/v1/services"> & { agents: string[] };

/** What can be set: all that the program leaves as usual is there too. */
export type ServiceSettings = Settings<"/api/v1/services"> & { agents: string[] };

const AGENTS = "/api/v1/services/{id}/agents";

async function agents(id: string): Promise<string[]> {
  return (await asked(api.GET(AGENTS, { params: { path: { id } } }))).agents;
}

async function setAgents(id: string, agents: string[]): Promise<string[]> {
  return (await asked(api.PUT(AGENTS, { params: { path: { id } }, body: { agents } }))).agents;
}

export const staffed: Resource<Service, ServiceSettings> = {
  key: services.key,
  page: async () => ({ items: [] }),
  read: async (id) => {
    const [service, people] = await Promise.all([services.read(id), agents(id)]);
    return { ...service, agents: people };
  },
  create: async ({ agents, ...settings }) => {
    const made = await services.create(settings);
    return { ...made, agents: await setAgents(made.id, agents) };
  },
  change: async (id, { agents, ...settings }) => {
    const changed = await services.change(id, settings);
    return { ...changed, agents: await setAgents(id, agents) };
  },
  remove: services.remove,
};

/** What a new service begins with. */
export const EMPTY: ServiceSettings = {
  name: "",
  disabled: false,
  calendar: null,
  agents: [],
  ring_s: 20,
  wrap_up_s: 15,
  wait_limit_s: 600,
  waiting_max: null,
  music_prompt: null,
  unanswered_prompt: null,
  announcements: [],
  say_position: true,
  rules: {
    routing: "longest_idle",
    priority: 0,
    weight: 1,
    targets: { answer_s: 20, abandon_s: 5, message_s: 300 },
    relax: [],
    overflow: [],
    disposition_mandatory: false,
    dispositions: [],
    callback: { attempts: 3, retry_s: 300 },
    preferred: { agent: "owner", wait_s: 30, even_away: false },
    transfers: { agents: true, services: null },
    reopen_wait_s: 300,
  },
  calls: {
    recording: "off",
    recording_notice: null,
    survey: null,
    caller_number: null,
    say_wait: false,
    callback_key: null,
  },
};
