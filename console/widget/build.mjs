// Makes dist/: what the server embeds. `--watch` makes it again whenever something changes.
//
//   widget.js          the loader; the server puts a channel's look in place of __CONFIG__
//   frame.html         the page of the iframe; the server puts a channel's config in place of {{config}}
//   assets/            its script and style, named by their hash
//   demo/              the shop

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, watch, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/** The most that a shop's page loads, and the most that who opens the chat loads: bytes of gzip. */
const LOADER_MAX = 3_000;
const FRAME_MAX = 40_000;

const options = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  target: ["chrome100", "firefox100", "safari15.4"],
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
};

async function make() {
  // The folder itself stays, with the file that keeps what is made out of the repository.
  for (const made of ["assets", "demo"])
    await rm(join(dist, made), { recursive: true, force: true });
  await mkdir(join(dist, "assets"), { recursive: true });

  const loader = await bundle("src/loader.ts", { format: "iife" });
  await writeFile(join(dist, "widget.js"), loader);

  const js = await bundle("src/frame.tsx", { format: "esm" });
  const css = await bundle("src/frame.css", {});
  const jsName = await named("frame", "js", js);
  const cssName = await named("frame", "css", css);
  const page = (await readFile(join(here, "src/frame.html"), "utf8"))
    .replace("{{js}}", jsName)
    .replace("{{css}}", cssName);
  await writeFile(join(dist, "frame.html"), page);
  await cp(join(here, "demo"), join(dist, "demo"), { recursive: true });

  within("loader", LOADER_MAX, [loader]);
  within("frame", FRAME_MAX, [page, js, css]);
}

async function bundle(entry, more) {
  const { outputFiles } = await build({ ...options, ...more, entryPoints: [entry] });
  return outputFiles[0].text;
}

async function named(name, kind, text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const file = `${name}-${hash}.${kind}`;
  await writeFile(join(dist, "assets", file), text);
  return file;
}

function within(what, most, texts) {
  const bytes = texts.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
  process.stdout.write(`${what}: ${bytes} of ${most} bytes (gzip)\n`);
  if (bytes > most) throw new Error(`the ${what} is larger than it may be`);
}

await make();
if (process.argv.includes("--watch")) {
  for (const folder of ["src", "demo"]) void again(folder);
}

async function again(folder) {
  for await (const _ of watch(join(here, folder), { recursive: true })) {
    await make().catch((error) => process.stderr.write(`${error}\n`));
  }
}
