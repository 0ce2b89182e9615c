// The widget in Chromium, on a page of another kind than its own, against the mock: what people do, by
// mouse and by keys, and what axe says of it.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type FrameLocator,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Mock, type MockOptions } from "./mock.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const isRequired = process.env.RAMAL_TEST_INTEROP === "require";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"];

const LIKES = {
  locale: "pt-BR",
  reducedMotion: "reduce",
  viewport: { width: 1100, height: 800 },
} as const satisfies BrowserContextOptions;

let browser: Browser;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) return;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}, 60_000);

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

afterAll(() => browser?.close());

/** A visitor in a shop. */
class Visitor {
  readonly mock: Mock;
  readonly page: Page;
  readonly chat: FrameLocator;

  private constructor(mock: Mock, page: Page) {
    this.mock = mock;
    this.page = page;
    this.chat = page.frameLocator("iframe.frame");
  }

  static async comes(mockOptions: MockOptions = {}, options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ ...LIKES, ...options });
    const mock = await Mock.start(mockOptions);
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (line) => {
      const isOurs = !line.text().includes("WebSocket") && !line.text().includes("net::ERR");
      if (line.type() === "error" && isOurs) problems.push(line.text());
    });
    opened.push(async () => {
      await context.close();
      await mock.stop();
      expect(problems).toEqual([]);
    });
    await page.goto(mock.shop);
    return new Visitor(mock, page);
  }

  get launcher() {
    return this.page.locator("button.launcher");
  }

  get box() {
    return this.chat.getByRole("textbox", { name: "Escreva uma mensagem" });
  }

  async opens(): Promise<void> {
    await this.launcher.click();
    await this.chat.locator(".page:not([data-mode=loading])").waitFor();
  }

  async says(text: string): Promise<void> {
    await this.box.fill(text);
    await this.box.press("Enter");
  }

  /** The texts of the bubbles, from the top. */
  bubbles() {
    return this.chat.locator("ol .bubble").allInnerTexts();
  }

  /** What axe has to say of everything that is there. */
  async complaints(): Promise<string[]> {
    const found: string[] = [];
    for (const frame of this.page.frames()) {
      await frame.evaluate(axe);
      found.push(
        ...(await frame.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
          const run = { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] };
          const { violations } = await axe.run(document, { ...run, iframes: false });
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" ")}`);
        })),
      );
    }
    return found.filter((one) => !isOfTheShop(one));
  }

  async shot(name: string): Promise<void> {
    const folder = process.env.RAMAL_SCREENS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.waitForTimeout(250);
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }
}

/** The page around is not ours to judge. */
function isOfTheShop(complaint: string): boolean {
  return complaint.startsWith("landmark-one-main") || complaint.includes("<h1>Loja</h1>");
}

const ANA = { kind: "agent", name: "Ana Lima" } as const;
const text = (words: string) => ({ kind: "text", text: words }) as const;

const FORM: NonNullable<MockOptions["config"]> = {
  form: {
    name: "must",
    email: "ask",
    phone: "no",
    services: [
      { id: "sales", name: "Vendas" },
      { id: "support", name: "Troca ou devolução" },
      { id: "orders", name: "Meu pedido" },
    ],
    consent: {
      version: "1",
      text: { "pt-BR": "Concordo com o uso dos meus dados para este atendimento." },
      url: "https://exemplo.com.br/privacidade",
    },
  },
};

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 780 },
  hasTouch: true,
  isMobile: true,
};

describe.skipIf(!existsSync(CHROMIUM) && !isRequired)("in a browser", { timeout: 60_000 }, () => {
  test("a visitor opens, fills the form, waits, is answered, reads, ends and rates", async () => {
    const visitor = await Visitor.comes({ config: FORM });
    const { mock, chat } = visitor;
    expect(mock.model.asked).toEqual([]);
    await visitor.opens();
    await visitor.shot("01-form");
    await chat.getByRole("button", { name: "Iniciar conversa" }).click();
    await chat.getByText("Escreva seu nome.").waitFor();
    await visitor.shot("02-form-wrong");
    expect(await chat.locator(":focus").getAttribute("name")).toBe("name");
    await chat.getByLabel("Nome").fill("Ana Souza");
    await chat.getByRole("radio", { name: "Vendas" }).check();
    await chat.getByLabel("Como podemos ajudar?").fill("Vocês entregam em Recife?");
    await chat.getByRole("checkbox").check();
    await chat.getByRole("button", { name: "Iniciar conversa" }).click();
    await chat.locator("ol .bubble").waitFor();
    const send = mock.model.asked.find((frame) => frame.type === "send");
    expect(send).toMatchObject({
      form: { name: "Ana Souza", service: "sales", consent: { version: "1" } },
      page: { url: `${mock.shop}/`, title: "Loja" },
    });

    const matter = { interaction: "i1", protocol: "20261122000123" };
    const service = { id: "sales", name: "Vendas" };
    mock.model.is({ phase: "waiting", position: 3, wait_ms: 130_000, service, ...matter });
    await chat.getByText("Você é o 3º da fila").waitFor();
    await visitor.shot("03-waiting");
    mock.model.is({ phase: "agent", position: null, agent: { name: "Ana Lima", avatar: null } });
    await chat.getByRole("heading", { name: "Ana Lima" }).waitFor();
    mock.model.say(ANA, text("Oi, Ana! Entregamos sim, em até 4 dias úteis."));
    mock.model.say(ANA, text("O frete para o Recife é grátis acima de R$ 199."));
    mock.model.is({ typing: true, read_seq: 1 });
    await chat.locator(".typing").waitFor();
    await visitor.shot("04-agent");
    await visitor.says("Ótimo! Vou fechar o pedido.");
    await expect.poll(() => mock.model.visible.length).toBe(4);
    await expect.poll(() => mock.model.seen.read).toBe(4);

    await chat.getByRole("button", { name: "Opções da conversa" }).click();
    await visitor.shot("05-menu");
    await chat.getByRole("button", { name: "Encerrar conversa" }).click();
    await chat.getByRole("heading", { name: "Encerrar esta conversa?" }).waitFor();
    await visitor.shot("06-end");
    await chat.getByRole("button", { name: "Encerrar conversa" }).click();
    await chat.getByText("Que nota você dá?").waitFor();
    await chat.getByRole("button", { name: "Enviar avaliação" }).click();
    await chat.getByText("Responda para enviar.").waitFor();
    await chat.getByRole("radio", { name: "4 estrelas" }).check();
    await chat.getByRole("radio", { name: "9" }).check();
    await chat.getByLabel("Quer contar mais?").fill("Muito rápido");
    await visitor.shot("07-survey");
    await chat.getByRole("button", { name: "Enviar avaliação" }).click();
    await chat.getByText("Obrigado pela avaliação!").waitFor();
    await visitor.shot("08-thanks");
    const survey = mock.model.asked.find((frame) => frame.type === "survey");
    expect(survey).toMatchObject({
      answers: [
        { question: "csat", value: "4" },
        { question: "nps", value: "9" },
        { question: "more", value: "Muito rápido" },
      ],
    });
    await chat.getByRole("button", { name: "Nova conversa" }).click();
    await chat.getByRole("button", { name: "Iniciar conversa" }).waitFor();
  });

  test("everything can be done by keys, and the focus is where one is", async () => {
    const visitor = await Visitor.comes();
    const { page, chat, mock } = visitor;
    await page.getByLabel("Busca").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect
      .poll(() => visitor.box.evaluate((box) => box === document.activeElement))
      .toBe(true);
    await page.keyboard.type("um");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("dois");
    await page.keyboard.press("Enter");
    await expect.poll(() => mock.model.visible.at(-1)?.content).toEqual(text("um\ndois"));
    mock.model.is({ phase: "agent" });
    await chat.getByRole("button", { name: "Opções da conversa" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await expect.poll(() => chat.locator(".sheet").isVisible()).toBe(false);
    await page.keyboard.press("Enter");
    await chat.getByRole("button", { name: "Encerrar conversa" }).focus();
    await page.keyboard.press("Enter");
    await chat.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => chat.getByRole("dialog").count()).toBe(0);
    expect(mock.model.asked.some(({ type }) => type === "close")).toBe(false);
    const inMenu = () =>
      chat
        .locator(":focus")
        .getAttribute("aria-label", { timeout: 1_000 })
        .catch(() => "");
    await expect.poll(inMenu).toBe("Opções da conversa");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".frame").isVisible()).toBe(false);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".frame").isVisible()).toBe(true);
  });

  // Chromium denies a frame of another site its storage.
  for (const [storage, isSameSite] of [
    ["with a storage of its own", true],
    ["without one", false],
  ] as const) {
    test(`news are counted at the launcher, over a page that is loaded anew, until they are seen, ${storage}`, async () => {
      const visitor = await Visitor.comes({ isSameSite });
      const { page, mock } = visitor;
      await visitor.opens();
      await visitor.says("Oi");
      await expect.poll(() => mock.model.visible.length).toBe(1);
      await visitor.launcher.click();
      mock.model.is({ phase: "agent", agent: { name: "Ana Lima", avatar: null } });
      mock.model.say(ANA, text("Bom dia! Ainda está por aí?"));
      await page.locator(".badge", { hasText: "1" }).waitFor();
      await page.locator(".peek", { hasText: "Bom dia!" }).waitFor();
      await visitor.shot("09-unread");
      expect(await visitor.launcher.getAttribute("aria-label")).toBe(
        "Abrir o chat. 1 mensagem nova",
      );
      await page.reload();
      await page.locator(".badge", { hasText: "1" }).waitFor();
      await page.locator(".peek .text").click();
      await expect.poll(() => page.locator(".badge").textContent()).toBe("");
      await expect.poll(() => mock.model.seen.read).toBe(2);
      expect(await visitor.bubbles()).toEqual(["Oi", "Bom dia! Ainda está por aí?"]);
      // Its own storage is shut: the page keeps who one is, and nothing of what was written.
      const kept = await page.evaluate(() => localStorage.getItem("ramal:c1"));
      expect(kept?.includes("token")).toBe(!isSameSite);
      expect(kept).not.toContain("Bom dia");
    });

    test(`what is written without a connection is kept, over a reload, and sent once there is one, ${storage}`, async () => {
      const visitor = await Visitor.comes({ isSameSite });
      const { page, mock, chat } = visitor;
      await visitor.opens();
      await visitor.says("um");
      await expect.poll(() => mock.model.visible.length).toBe(1);
      mock.goDown();
      await visitor.says("dois");
      await visitor.says("três");
      await chat.getByText("Sem conexão.").waitFor();
      await visitor.shot("10-offline");
      await page.reload();
      await visitor.launcher.click();
      await expect.poll(async () => (await visitor.bubbles()).slice(-2)).toEqual(["dois", "três"]);
      mock.comeUp();
      await expect
        .poll(() => mock.model.visible.map(({ content }) => content), { timeout: 30_000 })
        .toEqual([text("um"), text("dois"), text("três")]);
      await expect.poll(() => chat.getByText("Sem conexão.").count()).toBe(0);
      await expect.poll(() => chat.locator(".is-pending").count()).toBe(0);
    });
  }

  test("where sockets do not get through, requests do", async () => {
    const visitor = await Visitor.comes({ hasNoSockets: true });
    const { mock } = visitor;
    await visitor.opens();
    await visitor.says("um");
    await expect.poll(() => mock.model.visible.length, { timeout: 30_000 }).toBe(1);
    mock.model.is({ phase: "agent", agent: { name: "Ana Lima", avatar: null } });
    mock.model.say(ANA, text("dois"));
    await expect.poll(() => visitor.bubbles()).toEqual(["um", "dois"]);
    await visitor.chat.getByRole("heading", { name: "Ana Lima" }).waitFor();
    await expect.poll(() => mock.model.seen.read).toBe(2);
  });

  test("a picture goes up with its words, another is taken back, one that is too large is refused", async () => {
    const visitor = await Visitor.comes({
      upload_ms: 1_500,
      config: { files: { bytes_max: 100_000, accept: "image/*" } },
    });
    const { chat, mock } = visitor;
    await visitor.opens();
    const picture = await visitor.page.locator("body").screenshot();
    const input = chat.locator("input[type=file]");
    const file = (name: string, buffer: Buffer) => ({ name, mimeType: "image/png", buffer });
    await input.setInputFiles(file("grande.png", Buffer.alloc(100_001)));
    await chat.getByText("grande.png passa do limite de 100 kB.").waitFor();
    await input.setInputFiles([file("vaso.png", picture), file("outro.png", picture)]);
    await visitor.shot("11-tray");
    await chat.getByRole("button", { name: "Remover outro.png" }).click();
    await visitor.says("Chegou assim");
    await chat.getByRole("progressbar").waitFor();
    await visitor.shot("12-uploading");
    await input.setInputFiles(file("terceiro.png", picture));
    await chat.getByRole("button", { name: "Enviar" }).click();
    await chat.getByRole("button", { name: "Cancelar" }).last().click();
    await expect.poll(() => mock.model.visible.length).toBe(1);
    const sent = mock.model.asked.filter((frame) => frame.type === "send");
    expect(sent).toMatchObject([
      { content: { kind: "file", upload: "u1", caption: "Chegou assim" } },
    ]);
    await chat.getByRole("link", { name: "Abrir a imagem vaso.png" }).waitFor();
    await expect.poll(() => chat.locator(".is-pending").count()).toBe(0);
  });

  test("a file that did not get up before the page was left goes up from the next", async () => {
    const visitor = await Visitor.comes({ upload_ms: 2_000, isSameSite: true });
    const { chat, mock, page } = visitor;
    await visitor.opens();
    const buffer = await page.locator("body").screenshot();
    await chat
      .locator("input[type=file]")
      .setInputFiles({ name: "vaso.png", mimeType: "image/png", buffer });
    await chat.getByRole("button", { name: "Enviar" }).click();
    await chat.getByRole("progressbar").waitFor();
    await page.reload();
    await expect.poll(() => mock.model.visible.length, { timeout: 20_000 }).toBe(1);
  });

  test("an answer among those offered is chosen once", async () => {
    const visitor = await Visitor.comes();
    const { chat, mock } = visitor;
    await visitor.opens();
    await visitor.says("Oi");
    mock.model.is({ phase: "bot" });
    const choices = [
      { id: "1", title: "Onde está meu pedido?" },
      { id: "2", title: "Troca ou devolução" },
      { id: "3", title: "Falar com uma pessoa" },
    ];
    const BOT = { kind: "bot", name: "Aurora" } as const;
    mock.model.say(BOT, { kind: "choices", text: "Sobre o que é?", choices });
    await chat.getByRole("group", { name: "Opções de resposta" }).waitFor();
    await visitor.shot("13-choices");
    await chat.getByRole("button", { name: "Troca ou devolução" }).click();
    await expect
      .poll(() => mock.model.visible.at(-1)?.content)
      .toEqual({ kind: "choice", id: "2", title: "Troca ou devolução" });
    await expect
      .poll(() => chat.getByRole("group", { name: "Opções de resposta" }).count())
      .toBe(0);
    const described = choices.map((one) => ({ ...one, description: "De segunda a sexta" }));
    mock.model.say(BOT, { kind: "choices", text: "E agora?", choices: described });
    await chat.getByRole("button", { name: /Falar com uma pessoa/ }).waitFor();
    await visitor.shot("14-list");
  });

  test("older messages come above without moving what is looked at", async () => {
    const visitor = await Visitor.comes();
    const { chat, mock } = visitor;
    for (let count = 1; count <= 120; count += 1) mock.model.say(ANA, text(`mensagem ${count}`));
    await visitor.opens();
    await expect.poll(() => chat.locator("ol .bubble").count()).toBe(50);
    const scroll = chat.locator(".scroll");
    await scroll.evaluate((box) => box.scrollTo({ top: 0 }));
    const first = chat.getByText("mensagem 71", { exact: true });
    const before = await first.boundingBox();
    await chat.getByRole("button", { name: "Mensagens anteriores" }).click();
    await expect.poll(() => chat.locator("ol .bubble").count()).toBe(100);
    const after = await first.boundingBox();
    expect(Math.abs((after?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(60);
    mock.model.say(ANA, text("uma nova"));
    await chat.getByRole("button", { name: "Ir para a última mensagem" }).waitFor();
    await visitor.shot("15-away");
    await chat.getByRole("button", { name: "Ir para a última mensagem" }).click();
    await expect
      .poll(() => chat.getByText("uma nova", { exact: true }).last().isVisible())
      .toBe(true);
  });

  test("a message is words, whatever stands in it", async () => {
    const visitor = await Visitor.comes();
    const { chat, mock } = visitor;
    await visitor.opens();
    const evil = [
      "<img src=x onerror=alert(1)>",
      "<script>alert(1)</script>",
      "javascript:alert(1)",
      "veja https://exemplo.com.br/a?b=1&c=<b>2</b>.",
    ];
    for (const words of evil) mock.model.say(ANA, text(words));
    const at = { kind: "image" as const, name: "x", mime: "image/svg+xml", bytes: 1 };
    mock.model.say(ANA, { kind: "file", file: { ...at, url: "javascript:alert(1)" } });
    mock.model.say(ANA, { kind: "file", file: { ...at, url: "//estranho.example/x" } });
    await expect.poll(() => chat.locator("ol .bubble").count()).toBe(6);
    expect((await visitor.bubbles()).slice(0, 4)).toEqual(evil);
    expect(await chat.locator("ol img, ol script").count()).toBe(0);
    const links = await chat
      .locator("ol a")
      .evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    expect(links).toEqual(["https://exemplo.com.br/a?b=1&c="]);
  });

  test("the page says who the visitor is, hears what happens, and can say good-bye", async () => {
    const visitor = await Visitor.comes();
    const { page, mock } = visitor;
    await page.evaluate(() => {
      const { ramal } = window as unknown as { ramal: (...words: unknown[]) => void };
      const heard: string[] = [];
      Object.assign(window, { heard });
      ramal("on", "open", () => heard.push("open"));
      ramal("on", "close", () => heard.push("close"));
      ramal("identify", { user_id: 991, hash: "abc", name: "Ana" });
      ramal("open");
    });
    await visitor.box.waitFor();
    await visitor.says("Oi");
    const identity = { user_id: "991", hash: "abc", name: "Ana" };
    await expect.poll(() => mock.model.asked).toContainEqual(expect.objectContaining({ identity }));
    await expect.poll(() => visitor.bubbles()).toEqual(["Oi"]);
    mock.model.messages.length = 0;
    await page.evaluate(() => {
      const { ramal } = window as unknown as { ramal: (...words: unknown[]) => void };
      ramal("logout");
      ramal("close");
    });
    await expect.poll(() => visitor.bubbles()).toEqual([]);
    expect(await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toEqual([
      "open",
      "close",
    ]);
    const hellos = () => mock.model.asked.filter((frame) => frame.type === "hello");
    await expect.poll(() => hellos().at(-1)).not.toHaveProperty("identity");
    expect(hellos().at(-1)).not.toHaveProperty("token");
    await page.reload();
    await visitor.launcher.waitFor();
    expect(await page.locator("iframe").count()).toBe(0);
  });

  for (const [look, options] of [
    ["desktop", {}],
    ["phone", PHONE],
  ] as const satisfies [string, BrowserContextOptions][]) {
    test(`the shop opens the chat by a button of its own, ${look}`, async () => {
      const visitor = await Visitor.comes({}, options);
      const { page, mock } = visitor;
      await page.goto(`${mock.shop}/demo`);
      await visitor.launcher.waitFor();
      await visitor.shot(`30-demo-${look}`);
      expect(await visitor.complaints()).toEqual([]);
      await page.getByRole("button", { name: "Falar com a gente" }).click();
      await visitor.box.waitFor();
      await visitor.shot(`31-demo-${look}-open`);
    });
  }

  test("what the server says before a frame is painted is shown", async () => {
    const visitor = await Visitor.comes();
    const { page } = visitor;
    // A machine with too much to do: it paints late, and what waits for that waits.
    await page.addInitScript(() => {
      const { setTimeout } = window;
      window.requestAnimationFrame = (paint) => Number(setTimeout(paint, 1_000));
      const later = (run: () => void, ms = 0) => setTimeout(run, ms > 0 ? Math.max(ms, 1_000) : 0);
      Object.assign(window, { setTimeout: later });
    });
    await page.reload();
    await visitor.opens();
  });

  test("a page that is not on the allow-list is not heard and hears nothing", async () => {
    const visitor = await Visitor.comes({ config: { origins: ["https://loja.exemplo.com.br"] } });
    const { page, mock } = visitor;
    await page.evaluate(() => {
      const { ramal } = window as unknown as { ramal: (...words: unknown[]) => void };
      ramal("identify", { user_id: "C-991", hash: "abc" });
      ramal("open");
    });
    await page.waitForTimeout(1_500);
    expect(await visitor.chat.locator("#root > *").count()).toBe(0);
    expect(mock.model.asked).toEqual([]);
    // What it would be told in Portuguese.
    expect(await visitor.launcher.getAttribute("aria-label")).toBe("Chat");
  });

  test("orders from another window than the page's are not heard", async () => {
    const visitor = await Visitor.comes();
    await visitor.opens();
    const { page } = visitor;
    // A frame beside ours, of the same origin even: it is not our parent.
    await page.evaluate(() => {
      const stranger = document.createElement("iframe");
      stranger.srcdoc =
        "<script>parent.frames[0].postMessage({ramal:1,type:'theme',theme:'dark'},'*')</script>";
      document.body.append(stranger);
      // Nor does the page believe another window than its frame.
      window.postMessage({ ramal: 1, type: "close" }, "*");
    });
    await page.waitForTimeout(500);
    expect(await visitor.chat.locator("html").getAttribute("data-theme")).toBe("light");
    expect(await page.locator(".frame").isVisible()).toBe(true);
  });

  for (const [look, options] of [
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["phone", PHONE],
    ["phone-dark", { ...PHONE, colorScheme: "dark" }],
  ] as const satisfies [string, BrowserContextOptions][]) {
    test(`axe finds nothing to complain about, ${look}`, async () => {
      const visitor = await Visitor.comes({ config: { ...FORM, colour: "#e8b23a" } }, options);
      const { chat, mock } = visitor;
      expect(await visitor.complaints()).toEqual([]);
      await visitor.opens();
      await visitor.shot(`20-${look}-form`);
      expect(await visitor.complaints(), "form").toEqual([]);
      await chat.getByLabel("Nome").fill("Ana Souza");
      await chat.getByRole("radio", { name: "Vendas" }).check();
      await chat
        .getByLabel("Como podemos ajudar?")
        .fill("Vocês entregam em Recife? www.exemplo.com.br");
      await chat.getByRole("checkbox").check();
      await chat.getByRole("button", { name: "Iniciar conversa" }).click();
      mock.model.is({ phase: "waiting", position: 1, wait_ms: 20_000 });
      await chat.locator(".card").waitFor();
      expect(await visitor.complaints(), "waiting").toEqual([]);
      mock.model.is({
        phase: "agent",
        agent: { name: "Ana Lima", avatar: null },
        typing: true,
        read_seq: 1,
      });
      mock.model.say(ANA, text("Entregamos sim!"));
      const choices = [
        { id: "1", title: "Sim" },
        { id: "2", title: "Não" },
      ];
      mock.model.say(ANA, {
        kind: "choices",
        text: "Posso mandar o link?",
        footer: "Leva um minuto",
        choices,
      });
      mock.model.refuse.push({ code: "invalid" });
      await visitor.says("esta não vai");
      if (look.startsWith("phone")) await chat.getByRole("button", { name: "Enviar" }).click();
      await chat.locator(".is-failed").waitFor();
      await visitor.shot(`21-${look}-chat`);
      expect(await visitor.complaints(), "chat").toEqual([]);
      await chat.getByRole("button", { name: "Opções da conversa" }).click();
      expect(await visitor.complaints(), "menu").toEqual([]);
      await chat.getByRole("button", { name: "Receber por e-mail" }).click();
      await visitor.shot(`22-${look}-transcript`);
      expect(await visitor.complaints(), "transcript").toEqual([]);
      await chat.getByRole("button", { name: "Cancelar" }).click();
      mock.model.is({ phase: "closed", protocol: "20261122000123" });
      await chat.getByRole("button", { name: "Apagar" }).click();
      await chat.getByText("Atendimento encerrado").waitFor();
      await visitor.shot(`23-${look}-closed`);
      expect(await visitor.complaints(), "closed").toEqual([]);
    });
  }
});
