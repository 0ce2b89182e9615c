// The page of the iframe: reads what the channel looks like, and begins when the page that shows us
// says so.

import { render } from "preact";
import type { Config } from "./config.ts";
import { Parent } from "./parent.ts";
import { Shell } from "./shell.ts";
import { App } from "./ui/App.tsx";

const config = JSON.parse(document.getElementById("config")?.textContent ?? "null") as Config;
const root = document.getElementById("root");
const parent = new Parent(config.origins);
let shell: Shell | undefined;

parent.listen((message) => {
  if (shell) {
    shell.hear(message);
  } else if (message.type === "start" && root) {
    shell = new Shell(config, parent, message);
    render(<App shell={shell} />, root);
  }
});
