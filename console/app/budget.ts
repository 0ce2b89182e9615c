// What the agent's page loads before it can be worked in, printed at each build, with an end to it.

import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** The most that the agent's page loads first, in bytes of gzip: a second on a slow line. */
const FIRST_LOAD_MAX = 250_000;

/** What the page asks for by itself as soon as it runs, beside what it imports. */
const ASKED_FOR = ["pages/work/page.tsx", "pages/shell/shell.tsx", "words/pt-BR.ts"];

/** Fails the build when the agent's page has grown too heavy. */
export function budget(): Plugin {
  return {
    name: "budget",
    apply: "build",
    generateBundle(_, bundle) {
      const files = new Set<string>();
      const take = (name: string) => {
        const chunk = bundle[name];
        if (files.has(name) || chunk === undefined) return;
        files.add(name);
        if (chunk.type !== "chunk") return;
        for (const css of chunk.viteMetadata?.importedCss ?? []) take(css);
        for (const imported of chunk.imports) take(imported);
      };
      for (const [name, chunk] of Object.entries(bundle)) {
        if (chunk.type !== "chunk") continue;
        const facade = chunk.facadeModuleId ?? "";
        if (chunk.isEntry || ASKED_FOR.some((end) => facade.endsWith(end))) take(name);
      }
      let bytes = 0;
      for (const name of files) {
        const made = bundle[name];
        if (made === undefined) continue;
        const text = made.type === "chunk" ? made.code : made.source;
        bytes += gzipSync(text, { level: 9 }).length;
      }
      process.stdout.write(
        `agent's page: ${bytes} of ${FIRST_LOAD_MAX} bytes (gzip), ${files.size} files\n`,
      );
      if (bytes > FIRST_LOAD_MAX) this.error("the agent's page is larger than it may be");
      // What is written for browsers that do not know `light-dark` has no colours in those that do.
      const styles = Object.values(bundle).filter((made) => made.fileName.endsWith(".css"));
      if (styles.some((made) => "source" in made && String(made.source).includes("lightningcss"))) {
        this.error("the styles are written for browsers that are too old: see build.cssTarget");
      }
    },
  };
}
