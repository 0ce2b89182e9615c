// An administrator who sets up a URA. For tests of the whole program; what else they do is in person.mjs.
//
//   {"do": "make", "name": "…"} {"do": "down", "service": "…"} {"do": "order", "services": ["…"]}
//   {"do": "greet", "text": "…"} {"do": "listen"} {"do": "lead", "number": "…"} {"do": "publish", "version": 1}
//   {"do": "draw"} {"do": "add", "kind": "…", "title": "…"} {"do": "outgrown"} {"do": "undo", "times": 3}
//   {"do": "fits"} {"do": "try", "keys": ["…"], "hears": "…", "end": "…"}
//   {"do": "hear", "key": "…", "steps": ["…"]}
//   {"do": "write", "name": "…", "text": "…"} {"do": "phone", "name": "…"}

import { obey, seen } from "./person.mjs";

const button = (name, exact = true) => seen().getByRole("button", { name, exact });
const tab = (name) => seen().getByRole("link", { name, exact: true });
const saved = () => seen().getByText("Rascunho salvo").waitFor();

await obey({
  async make({ name }) {
    await tab("URA").click();
    await button("Nova URA").click();
    await seen().getByRole("textbox", { name: "Nome" }).fill(name);
    await button("Criar URA").click();
    await seen().getByRole("heading", { level: 1, name }).waitFor();
  },
  /** Gives a service the next key, by the keyboard. */
  async down({ service }) {
    await button(`Mover ${service}`, false).focus();
    await seen().keyboard.press("ArrowDown");
    await seen().getByRole("status").filter({ hasText: service }).waitFor();
  },
  async order({ services }) {
    const fields = seen().getByRole("textbox", { name: /^Nome no menu/ });
    const shown = await fields.evaluateAll((all) => all.map((one) => one.value));
    if (shown.join() !== services.join()) throw new Error(shown.join());
  },
  async greet({ text }) {
    await seen().getByRole("textbox", { name: "Mensagem de boas-vindas" }).fill(text);
    await saved();
  },
  async listen() {
    await button("Ouvir: Mensagem de boas-vindas").click();
    await button("Parar").waitFor();
    await button("Parar").click();
  },
  async lead({ number }) {
    await button("Escolher números").click();
    const box = seen().getByRole("checkbox", { name: new RegExp(`^${number}`) });
    await box.click();
    await seen().keyboard.press("Escape");
    const part = seen().locator("section", { hasText: "Números que levam" });
    await part.locator("span", { hasText: number }).waitFor();
  },
  async publish({ version }) {
    await button("Publicar").click();
    await seen().getByRole("dialog").getByRole("button", { name: "Publicar" }).click();
    await seen().getByText(`Versão ${version} publicada`).waitFor();
    await seen().getByText(`Publicada · v${version}`).waitFor();
  },
  async draw() {
    await tab("Fluxo").click();
    await seen().locator(".react-flow__node").first().waitFor();
  },
  async add({ kind, title }) {
    const palette = seen().getByRole("navigation", { name: "Adicionar passo" });
    await palette.getByRole("button", { name: kind, exact: true }).click();
    await seen().getByLabel("Nome do passo").fill(title);
    await saved();
    await seen().locator(".react-flow__node", { hasText: title }).waitFor();
    await seen().getByText("nada leva a este passo").waitFor();
  },
  /** What is drawn does more than the form shows, and that is said. */
  async outgrown() {
    await seen().getByText("deixa de caber no formulário").waitFor();
  },
  async undo({ times }) {
    await seen()
      .locator(".react-flow__pane")
      .click({ position: { x: 500, y: 30 } });
    for (let time = 0; time < times; time += 1) await seen().keyboard.press("Control+z");
    await seen().getByText("deixa de caber no formulário").waitFor({ state: "detached" });
  },
  async fits() {
    await tab("Formulário").click();
    await seen().getByRole("heading", { name: "Menu de atendimento" }).waitFor();
  },
  async try({ keys, hears, end }) {
    await button("Testar").click();
    const panel = seen().getByRole("complementary", { name: "Testar sem ligar" });
    await panel.getByText(hears).waitFor();
    for (const key of keys) await panel.getByRole("button", { name: `Tecla ${key}` }).click();
    await panel.getByText(end).waitFor();
  },
  /** Calls the draft from here, and sees the steps light up that are heard. */
  async hear({ key, steps }) {
    await seen()
      .getByRole("radiogroup", { name: "Como testar" })
      .getByText("Ligar e ouvir")
      .click();
    const panel = seen().getByRole("complementary", { name: "Ouvir o rascunho" });
    await panel.getByRole("button", { name: "Ligar e ouvir" }).click();
    const log = panel.getByRole("log");
    await log.getByText("Menu").waitFor();
    await panel.getByRole("button", { name: `Tecla ${key}` }).click();
    for (const step of steps) await log.getByText(step).first().waitFor();
    await panel.getByRole("button", { name: "Desligar" }).click();
    await log.getByText("Ligação encerrada").waitFor();
  },
  async write({ name, text }) {
    await tab("Áudios").click();
    await button("Escrever texto").click();
    const dialog = seen().getByRole("dialog");
    await dialog.getByLabel("Nome").fill(name);
    await dialog.getByLabel("O que é dito").fill(text);
    await dialog.getByRole("button", { name: "Salvar rascunho" }).click();
    await seen().getByRole("complementary", { name }).waitFor();
    await button("Publicar").click();
    await seen().getByText(`Áudio ${name} publicado`).waitFor();
  },
  /** Hears it as the telephone gives it. */
  async phone({ name }) {
    const panel = seen().getByRole("complementary", { name });
    const way = panel.getByRole("button", { name: "Como o telefone ouve" });
    await way.click();
    await seen().locator('button[aria-pressed="true"]', { hasText: "telefone" }).waitFor();
    await way.click();
  },
});
