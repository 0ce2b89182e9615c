// An agent with a browser of their own, who does what is asked of them: one order a line on the standard
// input, one answer a line on the standard output. For tests of the whole program.
//
//   {"do": "visit", "url": "http://…", "phone": true, "dark": true}
//   {"do": "enter", "email": "…", "password": "…"} {"do": "mistake"} {"do": "come"} {"do": "leave"}
//   {"do": "accept", "name": "…"} {"do": "open", "name": "…"} {"do": "full"} {"do": "finish", "name": "…", "how": "…"}
//   {"do": "say", "text": "…"} {"do": "see", "text": "…"} {"do": "read", "text": "…"}
//   {"do": "slash", "letters": "…"} {"do": "pick", "text": "…"}
//   {"do": "note", "text": "…"} {"do": "mention", "letters": "…", "text": "…"} {"do": "mentioned", "name": "…", "text": "…", "answer": "…"}
//   {"do": "away", "name": "…"} {"do": "hand", "to": "…", "note": "…"}
//   {"do": "word", "name": "…", "text": "…"} {"do": "said", "name": "…", "text": "…"} {"do": "go", "letters": "…", "title": "…"}
//   {"do": "ready"} {"do": "answer"} {"do": "hold"} {"do": "resume"} {"do": "mute"} {"do": "unmute"}
//   {"do": "consult", "whom": "…"} {"do": "asks", "how": "…"} {"do": "over"} {"do": "hang_up"}
//   {"do": "write", "text": "…"} {"do": "reload"} {"do": "drafted", "text": "…"} {"do": "once", "texts": ["…"]}
//   {"do": "attach", "name": "…"} {"do": "lost"} {"do": "found"} {"do": "close", "how": "…"} {"do": "idle"}
//   {"do": "shot", "path": "…"} {"do": "usable"} {"do": "problems"}

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
let page;

/** What a browser says by itself of a program that is away, or of nobody being logged in. */
const EXPECTED = /status of 401|net::ERR_(CONNECTION|SOCKET|EMPTY)|WebSocket connection to/;

const button = (name) => page.getByRole("button", { name, exact: true });
const field = () => page.getByRole("textbox", { name: /^Mensagem para/ });
const log = () => page.getByRole("log");
const card = (name) => page.getByRole("listitem").getByRole("link", { name });

const orders = {
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
    await button("Entrar").click();
  },
  async mistake() {
    await page.getByRole("alert").filter({ hasText: "não conferem" }).waitFor();
  },
  async come() {
    await button("Ficar disponível").click();
    await page.getByText("Você está disponível.").waitFor();
  },
  async leave() {
    await button("Sua conta").click();
    await page.getByRole("menuitem", { name: "Sair" }).click();
    await page.getByLabel("E-mail").waitFor();
  },
  async accept({ name }) {
    await page.getByRole("article", { name }).getByRole("button", { name: "Atender" }).waitFor();
    await page.keyboard.press("Alt+a");
    await page.getByRole("heading", { level: 1, name }).waitFor();
  },
  /** Goes to something that is in hand, wherever one is. */
  async open({ name }) {
    await card(name).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
  },
  /** Nothing more comes until something is closed, and the page says so. */
  async full() {
    await page.getByText("Você está no limite").waitFor();
    await page.getByText("Chamando você").waitFor({ state: "detached" });
  },
  /** Closes what is in hand with a code: then it is in hand no more. */
  async finish({ name, how }) {
    await orders.open({ name });
    await page.keyboard.press("Alt+e");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: how }).click();
    await dialog.getByRole("button", { name: "Encerrar atendimento" }).click();
    await card(name).waitFor({ state: "detached" });
  },
  async say({ text }) {
    await field().fill(text);
    await field().press("Enter");
    await log().getByText(text).waitFor();
  },
  /** Types letters behind a slash, until something is meant by them. */
  async slash({ letters }) {
    await field().pressSequentially(`/${letters}`);
    await page.getByRole("option").first().waitFor();
  },
  /** Takes the first that is meant, and sends it. */
  async pick({ text }) {
    await field().press("Enter");
    await page.getByRole("listbox").waitFor({ state: "detached" });
    await field().press("Enter");
    await log().getByText(text).waitFor();
  },
  async see({ text }) {
    await log().getByText(text).first().waitFor();
  },
  /** The customer has read what was said. */
  async read({ text }) {
    const bubble = log().locator("div", { hasText: text, has: page.getByLabel("Lida") });
    await bubble.first().waitFor();
  },
  async attach({ name }) {
    const files = [{ name, mimeType: "text/plain", buffer: Buffer.from("Vaso torneado, 22 cm") }];
    await page.locator("input[type=file]").setInputFiles(files);
    await page.getByRole("button", { name: `Remover ${name}` }).waitFor();
    await page.getByLabel(`Enviando ${name}`).waitFor({ state: "detached" });
    await button("Enviar").click();
    await log().getByRole("link", { name }).waitFor();
  },
  /** Writes and does not send. */
  async write({ text }) {
    await field().fill(text);
  },
  /** What was written and not sent is still there, and in no conversation. */
  async drafted({ text }) {
    await field().waitFor();
    const kept = await field().inputValue();
    if (kept !== text) throw new Error(`there stands: ${kept}`);
  },
  /** Loads the page anew. */
  async reload() {
    await page.reload();
    await log().waitFor();
  },
  /** These stand in the conversation, in this order, and each once; none is still on its way. */
  async once({ texts }) {
    await log().getByText(texts.at(-1)).first().waitFor();
    await log()
      .getByLabel(/^(Enviando|Esperando a conexão)$/)
      .first()
      .waitFor({ state: "detached" });
    const all = await log().innerText();
    const places = texts.map((text) => all.indexOf(text));
    const isOnce = texts.every((text) => all.split(text).length === 2);
    const isInOrder = places.every((place, at) => at === 0 || place > places[at - 1]);
    if (!isOnce || !isInOrder) throw new Error(all);
  },
  /** The connection is gone, and the page says so. */
  async lost() {
    await page.getByText("Sem conexão.").waitFor();
  },
  async found() {
    await page.getByText("Sem conexão.").waitFor({ state: "detached" });
  },
  async close({ how }) {
    await page.keyboard.press("Alt+e");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: how }).click();
    await dialog.getByRole("button", { name: "Encerrar atendimento" }).click();
    await page.getByText("Atendimento encerrado").waitFor();
  },
  /** Says something to colleagues. */
  async note({ text }) {
    await page.keyboard.press("Alt+n");
    const note = page.getByRole("textbox", { name: "Nota interna" });
    await note.fill(text);
    await note.press("Enter");
    await log().getByText(text).waitFor();
    await page.keyboard.press("Alt+n");
    await field().waitFor();
  },
  /** Hands what is written to a colleague or a service. */
  async hand({ to, note }) {
    await page.keyboard.press("Alt+x");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("option", { name: to }).click();
    await dialog.getByLabel("Recado para quem recebe").fill(note);
    await dialog.getByRole("button", { name: "Transferir" }).click();
    await page.getByText("Atendimento transferido").waitFor();
  },
  /** Mentions somebody whom the letters mean, and says something to them. */
  async mention({ letters, text }) {
    await page.keyboard.press("Alt+n");
    const note = page.getByRole("textbox", { name: "Nota interna" });
    await note.pressSequentially(`@${letters}`);
    await page.getByRole("option").first().waitFor();
    await note.press("Enter");
    await note.pressSequentially(text);
    await note.press("Enter");
    await log().getByText(text).waitFor();
    await page.keyboard.press("Alt+n");
    await field().waitFor();
  },
  /** A colleague has mentioned one: also after the page was loaded anew. One looks, and answers. */
  async mentioned({ name, text, answer }) {
    await page.getByText(`${name} mencionou você`).waitFor();
    await page.reload();
    const told = page.getByRole("article", { name });
    await told.getByText(text).waitFor();
    await told.getByRole("button", { name: "Ver conversa" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(text).waitFor();
    await dialog.getByRole("textbox", { name: "Nota interna" }).fill(answer);
    await dialog.getByRole("textbox", { name: "Nota interna" }).press("Enter");
    await dialog.getByText(answer).waitFor();
    await dialog.getByRole("button", { name: "Fechar" }).click();
    await told.waitFor({ state: "detached" });
  },
  /** What a colleague left for whoever takes it is on the card, and above the conversation. */
  async word({ name, text }) {
    const word = page.getByRole("note").filter({ hasText: `Recado de ${name}` });
    await word.getByText(text).first().waitFor();
  },
  /** This was said by a colleague, and their name stands above it. */
  async said({ name, text }) {
    const group = log().locator("[data-side=out]", { hasText: text });
    await group.getByText(new RegExp(`${name}$`)).waitFor();
  },
  /** Whom one cannot hand anything to says so, and is not chosen. */
  async away({ name }) {
    await page.keyboard.press("Alt+x");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("combobox").fill(name);
    await dialog
      .getByRole("option", { name, disabled: true })
      .getByText("não recebe agora")
      .waitFor();
    await dialog.getByRole("button", { name: "Transferir", disabled: true }).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  },
  /** Goes somewhere by a few letters. */
  async go({ letters, title }) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill(letters);
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
  },
  /** The telephone of the window can be called. */
  async ready() {
    await page.locator("[data-line=ready]").waitFor();
  },
  /** It rings, and is answered. */
  async answer() {
    await page.getByRole("button", { name: "Atender" }).waitFor();
    await page.keyboard.press("Alt+a");
    await page.getByText(/Em conversa|Você está sendo consultado/).waitFor();
  },
  async hold() {
    await page.keyboard.press("Alt+h");
    await page.getByText("Em espera: o cliente ouve música").waitFor();
  },
  async resume() {
    await page.keyboard.press("Alt+h");
    await page.getByText("Em conversa").waitFor();
  },
  async mute() {
    await page.keyboard.press("Alt+m");
    await button("Ativar som").last().waitFor();
  },
  async unmute() {
    await page.keyboard.press("Alt+m");
    await button("Mudo").last().waitFor();
  },
  /** Loads the page anew in a call, though it asks not to, and has the sound come back to it. */
  async bring() {
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await button("Trazer o som para cá").click();
    await page.getByText("Em conversa").waitFor();
  },
  /** Asks a colleague about the call. */
  async consult({ whom }) {
    await button("Consultar").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("option", { name: whom }).click();
    await dialog.getByRole("button", { name: "Consultar" }).click();
    await button("Voltar ao cliente").waitFor();
  },
  /** Does something with the one who is asked: `Alternar`, `Conferência`, `Concluir transferência`. */
  async asks({ how }) {
    await button(how).click();
    if (how === "Alternar") await page.getByText("Você fala com o cliente;").waitFor();
    if (how === "Conferência") await page.getByText("Todos na mesma conversa").waitFor();
    if (how === "Concluir transferência") await page.getByText("Tudo em dia").waitFor();
  },
  async hang_up() {
    await page.keyboard.press("Alt+q");
    await page.getByText("Ligação encerrada").waitFor();
  },
  /** The call has a code: nothing is left to do. */
  async over({ how }) {
    await page.keyboard.press("Alt+e");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: how }).click();
    await dialog.getByRole("button", { name: "Encerrar atendimento" }).click();
    await page.getByText("Você está disponível.").waitFor();
  },
  /** Nothing is in hand. */
  async idle() {
    await page.getByText("Você está disponível.").waitFor();
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
    const found = await page.evaluate((tags) => globalThis.axe.run({ runOnly: tags }), tags);
    const said = found.violations.map((one) => `${one.id}: ${one.nodes[0].failureSummary}`);
    if (said.length > 0) throw new Error(said.join("\n"));
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
