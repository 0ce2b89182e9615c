// Somebody with a browser of their own, who does what is asked of them: one order a line on the standard
// input, one answer a line on the standard output. What everybody can do; scripts add what is of their page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    // A microphone that beeps, and nobody who must allow it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
  ],
});

/** What went wrong in the page: there is to be nothing but what a test brings about. */
const problems = [];

/** What a browser says by itself of nobody being logged in or an agent, and of a flow that has no form. */
const EXPECTED = /status of 401|status of 404|status of 409/;

let page;

/** The page that they look at. */
export const seen = () => page;

const common = {
  async visit({ url, phone, dark }) {
    const context = await browser.newContext({
      locale: "pt-BR",
      reducedMotion: "reduce",
      colorScheme: dark ? "dark" : "light",
      viewport: phone ? { width: 390, height: 780 } : { width: 1366, height: 768 },
      hasTouch: Boolean(phone),
      isMobile: Boolean(phone),
    });
    context.setDefaultTimeout(20_000);
    page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (line) => {
      if (line.type() === "error" && !EXPECTED.test(line.text())) problems.push(line.text());
    });
    await page.goto(url);
    await page.getByLabel("E-mail").waitFor();
  },
  async enter({ email, password }) {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Senha", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Entrar", exact: true }).click();
    await page.getByRole("navigation", { name: "Principal" }).waitFor();
  },
  async shot({ path }) {
    await page.waitForTimeout(300);
    await page.screenshot({ path });
  },
  /** Nobody is kept out by how the page is made: WCAG 2.2 AA, as far as a program can tell. */
  async usable() {
    const other = await page.context().newCDPSession(page);
    // The policy of the page keeps strangers' scripts out: the debugger is let in.
    await other.send("Runtime.evaluate", { expression: axe });
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    // Nor does it make styles again of those within shadows: that is forbidden to it, too.
    const how = { runOnly: tags, preload: false };
    const found = await page.evaluate((how) => globalThis.axe.run(how), how);
    const said = found.violations.map((one) => `${one.id}: ${one.nodes[0].failureSummary}`);
    if (said.length > 0) throw new Error(said.join("\n"));
  },
  async problems() {
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },
};

/** Does what is asked until nobody asks any more. */
export async function obey(orders) {
  const all = { ...common, ...orders };
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    const answer = await all[order.do](order).then(
      () => ({ done: order.do }),
      (error) => ({ failed: order.do, why: String(error) }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  await browser.close();
}
