import { api, asked, type Schemas } from "../../../api/client";
import { type Listed, resource } from "../parts/resource";

export type Contact = Schemas["Contact"];

export const contacts = resource("/api/v1/contacts");

const PAGE = 50;

/** Contacts by the beginning of their names: there are more than are looked through here. */
export function named(name: string): Listed<Contact> {
  return {
    key: contacts.key,
    only: `name ${name}`,
    page: (after) => {
      const query = {
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
        ...(name === "" ? {} : { name }),
      };
      return asked(api.GET("/api/v1/contacts", { params: { query } }));
    },
  };
}

/** Those of all contacts from whom nothing is taken, or to whom nothing is sent. */
export const blocked: Listed<Contact> = {
  key: contacts.key,
  only: "blocked",
  page: async (after) => {
    const query = { limit: 500, ...(after === undefined ? {} : { after }) };
    const page = await asked(api.GET("/api/v1/contacts", { params: { query } }));
    return { ...page, items: page.items.filter((one) => one.blocked_in || one.blocked_out) };
  },
};
