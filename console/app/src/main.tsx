// The window: what everything in it stands on.

import "./mantine";
import "./app.css";

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { questions } from "./api/asking";
import { Notices } from "./parts/notices";
import { router } from "./router";
import { theme } from "./theme";
import { language, speakIn } from "./words/words";

// Styles that parts make when they are shown bear what the page was allowed them by.
const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute("content") ?? "";
Object.assign(globalThis, { __webpack_nonce__: nonce });

await speakIn(language(), false);

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={questions}>
          <RouterProvider router={router} />
          <Notices />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
