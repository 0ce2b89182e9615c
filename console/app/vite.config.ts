import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { budget } from "./budget.ts";

/** The program that the development server stands before. */
const RAMAL = process.env.RAMAL_URL ?? "http://127.0.0.1:8080";

/** What the agent's page does not do without. */
const BASE = [
  /node_modules\/(react|react-dom|scheduler|react-i18next|i18next|openapi-fetch|@floating-ui)\//,
  /node_modules\/@tanstack\/(query-core|react-query|history|router-core|react-router|react-store|store)\//,
  /node_modules\/@mantine\/(hooks|core\/esm\/core)\//,
  /@mantine\/core\/esm\/components\/(ActionIcon|Box|Button|CloseButton|Floating|FocusTrap|Input|Loader)/,
  /@mantine\/core\/esm\/components\/(Menu|Modal|Overlay|Paper|Popover|Portal|ScrollArea|Skeleton)/,
  /@mantine\/core\/esm\/components\/(TextInput|Tooltip|Transition|UnstyledButton)/,
];

export default defineConfig({
  plugins: [react(), budget()],
  // The folder itself stays, with the file that keeps what is made out of the repository.
  build: {
    target: "es2022",
    // Colours by day and by night stand side by side in the styles: browsers know how to choose since 2024.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    emptyOutDir: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // In one file: the more pages there are, the smaller the pieces that they share, and many small
    // files weigh more than a large one.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: "base", test: (id) => BASE.some((part) => part.test(id)) }],
        },
      },
    },
  },
  server: {
    proxy: { "/api": { target: RAMAL, ws: true }, "/sip": { target: RAMAL, ws: true } },
  },
});
