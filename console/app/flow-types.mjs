// Makes the types of flows and simple forms from the schemas that the program publishes at
// `/api/v1/schemas`, as `openapi-typescript` makes those of the API.

import { readFileSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const read = (name) => JSON.parse(readFileSync(new URL(`schemas/${name}.json`, import.meta.url)));

/** The schema with its parts where a description of an API has them. */
const moved = (schema) =>
  JSON.parse(JSON.stringify(schema).replaceAll("#/$defs/", "#/components/schemas/"));

const { $defs: ofFlow, $schema: _, ...Flow } = moved(read("flow"));
const { $defs: ofForm, $schema: __, ...SimpleForm } = moved(read("simple-form"));
const description = {
  openapi: "3.1.0",
  info: { title: "flows", version: "1" },
  paths: {},
  components: { schemas: { ...ofForm, ...ofFlow, Flow, SimpleForm } },
};
const types = astToString(await openapi(description, { defaultNonNullable: false }));
writeFileSync(new URL("src/api/flow.d.ts", import.meta.url), types);
