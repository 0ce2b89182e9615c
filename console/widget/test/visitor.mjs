// A visitor with a browser of their own, who does what is asked of them: one order a line on the standard
// input, one answer a line on the standard output. For tests of the whole program.
//
//   {"do": "visit", "url": "http://…/demo", "phone": true, "dark": true}
//   {"do": "open"} {"do": "form", "name": "…", "text": "…"} {"do": "say", "text": "…"} {"do": "see", "text": "…"} {"do": "once", "texts": ["…"]}
//   {"do": "attach", "name": "…", "caption": "…"} {"do": "picture"} {"do": "typing"} {"do": "rate", "stars": 5, "text": "…"}
//   {"do": "shot", "path": "…"} {"do": "desk", "email": "…", "password": "…"}

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

/** What went wrong in any page: there is to be nothing. */
const problems = [];
let page;
let chat;

const orders = {
  async visit({ url, phone, dark }) {
    const context = await browser.newContext({
      locale: "pt-BR",
      reducedMotion: "reduce",
      colorScheme: dark ? "dark" : "light",
      viewport: phone ? { width: 390, height: 780 } : { width: 1100, height: 800 },
      hasTouch: Boolean(phone),
      isMobile: Boolean(phone),
      deviceScaleFactor: 2,
    });
    context.setDefaultTimeout(20_000);
    page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (line) => {
      if (line.type() === "error") problems.push(`${line.text()} ${line.location().url}`);
    });
    await page.goto(url);
    chat = page.frameLocator("iframe.frame");
  },
  async open() {
    await page.locator("button.launcher").click();
    await chat.locator(".page:not([data-mode=loading])").waitFor();
  },
  async form({ name, service, text }) {
    await chat.getByLabel("Nome").fill(name);
    await chat.getByRole("radio", { name: service }).check();
    await chat.getByLabel("Como podemos ajudar?").fill(text);
    await chat.getByRole("button", { name: "Iniciar conversa" }).click();
    await chat.locator("ol .bubble").first().waitFor();
  },
  async say({ text }) {
    const box = chat.getByRole("textbox", { name: "Escreva uma mensagem" });
    await box.fill(text);
    await box.press("Enter");
  },
  async type({ text }) {
    const box = chat.getByRole("textbox", { name: "Escreva uma mensagem" });
    await box.pressSequentially(text);
  },
  async see({ text }) {
    await chat.getByText(text).first().waitFor();
  },
  /** Each of these was said once, in this order. */
  async once({ texts }) {
    await chat.getByText(texts.at(-1)).first().waitFor();
    const all = (await chat.locator("ol .bubble").allInnerTexts()).join("\n");
    const places = texts.map((text) => all.indexOf(text));
    const isOnce = texts.every((text) => all.split(text).length === 2);
    const isInOrder = places.every((place, at) => at === 0 || place > places[at - 1]);
    if (!isOnce || !isInOrder) throw new Error(all);
  },
  async typing() {
    await chat.locator(".typing").waitFor();
  },
  async attach({ name, caption }) {
    const picture = await page.screenshot();
    const files = [{ name, mimeType: "image/png", buffer: picture }];
    await chat.locator("input[type=file]").setInputFiles(files);
    await chat.getByRole("textbox", { name: "Escreva uma mensagem" }).fill(caption);
    await chat.getByRole("button", { name: "Enviar" }).click();
  },
  /** A picture in the conversation is there and has dots, and nothing is on its way any more. */
  async picture({ count }) {
    const pictures = chat.locator("ol .bubble img");
    await pictures.nth(count - 1).waitFor();
    await pictures.nth(count - 1).evaluate((image) => image.decode());
    await page.waitForFunction(() => {
      const frame = document.querySelector("ramal-chat").shadowRoot.querySelector("iframe");
      return !frame.contentDocument.querySelector(".is-pending");
    });
  },
  async rate({ stars, text }) {
    await chat.getByRole("radio", { name: `${stars} estrelas` }).check();
    await chat.getByLabel("Quer contar mais?").fill(text);
    await chat.getByRole("button", { name: "Enviar avaliação" }).click();
    await chat.getByText("Obrigado pela avaliação!").waitFor();
  },
  async reload() {
    await page.reload();
  },
  async shot({ path }) {
    await page.waitForTimeout(300);
    await page.screenshot({ path });
  },
  /** The page of an agent, open for as long as this runs: who has none is offered nothing. */
  async desk({ url, email, password }) {
    const context = await browser.newContext({ bypassCSP: true });
    const desk = await context.newPage();
    await desk.goto(url);
    await desk.evaluate(
      async ([email, password]) => {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({ email, password });
        const answer = await fetch("/api/v1/session", { method: "POST", headers, body });
        if (!answer.ok) throw new Error(`the agent is not let in: ${answer.status}`);
        const socket = new WebSocket(`ws://${location.host}/api/v1/live`);
        await new Promise((opened, refused) => {
          socket.onopen = opened;
          socket.onerror = () => refused(new Error("no live socket"));
        });
      },
      [email, password],
    );
  },
  async problems() {
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const answer = await orders[order.do](order).then(
    () => ({ done: order.do }),
    (error) => ({ failed: order.do, why: String(error) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
