// Somebody who watches over others, and somebody who may see this and not that. For tests of the whole program;
// what else they do is in person.mjs.
//
//   {"do": "watch", "agent": "…"} {"do": "part", "how": "Sussurrar"} {"do": "leave"}
//   {"do": "lands", "on": "/wall"} {"do": "sees", "pages": {"/trace": "…"}} {"do": "refused", "pages": {"/reports": "…"}}

import { obey, seen } from "./person.mjs";

const button = (name) => seen().getByRole("button", { name, exact: true });
const head = () => seen().getByRole("banner");

/** Goes to a page by its address, as somebody who was sent it. */
const go = (path) => seen().goto(new URL(path, seen().url()).href);

await obey({
  /** Opens what an agent has in hand. */
  async watch({ agent }) {
    await seen()
      .getByRole("link", { name: new RegExp(`^${agent}`) })
      .click();
    await button("Sussurrar").waitFor();
  },
  /** Takes part in the call; the window's phone answers by itself. */
  async part({ how }) {
    await button(how).click();
    await seen().locator('button[aria-pressed="true"]', { hasText: how }).waitFor();
    await head().getByRole("button", { name: "Desligar" }).waitFor();
  },
  async leave() {
    await button("Sair").click();
    await head().getByRole("button", { name: "Desligar" }).waitFor({ state: "detached" });
  },
  /** Is led there by logging in. */
  async lands({ on }) {
    await seen().waitForURL((url) => url.pathname === on);
  },
  async sees({ pages }) {
    for (const [path, words] of Object.entries(pages)) {
      await go(path);
      await seen().getByRole("main").getByText(words).first().waitFor();
    }
  },
  /** Is told in words, and led on from there. */
  async refused({ pages }) {
    for (const [path, words] of Object.entries(pages)) {
      await go(path);
      await seen().getByRole("heading", { name: words }).waitFor();
    }
  },
});
