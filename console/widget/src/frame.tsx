// The page of the iframe: reads what the channel looks like, and begins.

import { render } from "preact";
import type { Config } from "./config.ts";
import { Shell } from "./shell.ts";
import { App } from "./ui/App.tsx";

const config = JSON.parse(document.getElementById("config")?.textContent ?? "null") as Config;
const root = document.getElementById("root");
if (root) render(<App shell={new Shell(config)} />, root);
