import { describe, expect, it } from "vitest";
import type { Message } from "../src/api/client";
import { carries } from "../src/pages/work/carries";
import { leaves } from "../src/pages/work/dispositions";
import { phone, readable } from "../src/pages/work/identity";
import { pieces } from "../src/pages/work/links";
import { author, failure, groups, mayGoAgain, reactions, said, side } from "../src/pages/work/said";
import { unread } from "../src/pages/work/seen";
import { above, blanks, filled, isUsable, values } from "../src/pages/work/template";

const of = (content: unknown) => said({ content: content as never });

const message = (seq: number, at_ms: number, direction: string, who: object): Message => ({
  id: String(seq),
  seq,
  direction,
  author: who as never,
  content: { kind: "text", text: String(seq) } as never,
  attachments: [],
  at_ms,
});

describe("what a message says", () => {
  it("is read from every kind of content", () => {
    expect(of({ kind: "text", text: "oi" })).toEqual({ kind: "text", text: "oi" });
    expect(of({ kind: "choice", title: "Sim", id: "s" })).toEqual({ kind: "text", text: "Sim" });
    expect(of({ kind: "ask_phone", text: "Qual?" })).toEqual({ kind: "text", text: "Qual?" });
    expect(of({ kind: "media", media: "image", caption: "aqui" })).toEqual({
      kind: "media",
      media: "image",
      caption: "aqui",
      name: "",
    });
    expect(
      of({ kind: "choices", body: "Qual?", choices: [{ title: "A" }, { title: "B" }] }),
    ).toEqual({ kind: "choices", text: "Qual?", choices: ["A", "B"] });
    expect(of({ kind: "contacts", cards: [{ name: "Ana", phones: ["1"], emails: [] }] })).toEqual({
      kind: "contacts",
      text: "Ana · 1",
    });
    expect(of({ kind: "location", latitude: -23.5, longitude: -46.6, name: "Sé" })).toMatchObject({
      kind: "location",
      text: "Sé",
    });
    const body = [{ name: "nome", text: "Ana" }];
    expect(of({ kind: "template", name: "a", language: "pt_BR", body })).toEqual({
      kind: "template",
      name: "a",
      language: "pt_BR",
      given: { "body nome": "Ana" },
    });
    expect(of({ kind: "order" })).toEqual({ kind: "order" });
  });

  it("is said to be unknown where it is, and never lost", () => {
    expect(of({ kind: "unsupported", type: "poll", raw: {} })).toEqual({
      kind: "unsupported",
      name: "poll",
    });
    expect(of({ kind: "hologram" })).toEqual({ kind: "unsupported", name: "hologram" });
    for (const odd of [null, undefined, 7, "x", [], {}]) expect(of(odd).kind).toBe("unsupported");
  });

  it("has an author, reactions and a reason why it came no further", () => {
    expect(author({ author: { kind: "agent", name: "Ana" } as never })).toEqual({
      id: "",
      kind: "agent",
      name: "Ana",
    });
    expect(reactions({ reactions: { customer: "👍", company: null } as never })).toEqual(["👍"]);
    expect(reactions({})).toEqual([]);
    expect(failure({ failure: { sentence: "Use um modelo." } as never })).toBe("Use um modelo.");
    expect(failure({})).toBe("");
  });
});

describe("a message that failed", () => {
  const failed = (word: string) => ({ state: "failed", failure: { class: word } as never });

  it("is worth another try where it was not refused for good", () => {
    expect(mayGoAgain(failed("retry"))).toBe(true);
    expect(mayGoAgain(failed("channel_broken"))).toBe(true);
    expect(mayGoAgain({ state: "uncertain" })).toBe(true);
    for (const word of ["permanent", "needs_template", "blocked_by_customer"]) {
      expect(mayGoAgain(failed(word)), word).toBe(false);
    }
    expect(mayGoAgain({ state: "delivered" })).toBe(false);
  });
});

describe("messages stand together", () => {
  const ana = { kind: "agent", name: "Ana" };
  const noon = new Date(2026, 10, 23, 12).getTime();
  const shape = (all: Message[]) => groups(all).map((group) => group.items.map(({ seq }) => seq));

  it("of one author, within three minutes", () => {
    const all = [
      message(1, noon, "outbound", ana),
      message(2, noon + 179_999, "outbound", ana),
      message(3, noon + 359_999, "outbound", ana),
    ];
    expect(shape(all)).toEqual([[1, 2], [3]]);
  });

  it("apart from those of others, and of ours that nobody wrote", () => {
    const all = [
      message(1, noon, "inbound", { kind: "customer", name: "Caio" }),
      message(2, noon, "outbound", { kind: "system", name: "Loja" }),
      message(3, noon, "outbound", ana),
      message(4, noon, "outbound", { kind: "agent", name: "Bruno" }),
    ];
    expect(shape(all)).toEqual([[1], [2], [3], [4]]);
  });

  it("on the side of who wrote them", () => {
    const bruno = { kind: "agent", id: "b", name: "Bruno" };
    const of = (direction: string, who: object) => side(message(1, noon, direction, who), "b");
    expect(of("inbound", { kind: "customer", name: "Caio" })).toBe("customer");
    expect(of("outbound", bruno)).toBe("me");
    expect(of("outbound", { ...bruno, id: "a" })).toBe("colleague");
    expect(of("outbound", { kind: "system", name: "Loja" })).toBe("itself");
    expect(of("outbound", {})).toBe("itself");
  });

  it("under one day", () => {
    const midnight = new Date(2026, 10, 24).getTime();
    const all = [message(1, midnight - 1, "outbound", ana), message(2, midnight, "outbound", ana)];
    expect(groups(all).map(({ day }) => day)).toEqual([new Date(2026, 10, 23).getTime(), midnight]);
  });
});

describe("what nobody has read", () => {
  const ana = { kind: "agent", id: "a", name: "Ana" };
  const all = [
    message(1, 0, "inbound", {}),
    message(2, 0, "outbound", ana),
    message(3, 0, "inbound", {}),
    message(4, 0, "outbound", { kind: "system", name: "Loja" }),
    message(5, 0, "inbound", {}),
  ];

  it("is what the customer wrote behind what was seen and what was answered", () => {
    expect(unread(all, undefined)).toBe(2);
    expect(unread(all, 1)).toBe(2);
    expect(unread(all, 3)).toBe(1);
    expect(unread(all, 5)).toBe(0);
    expect(unread(undefined, undefined)).toBe(0);
  });
});

describe("what leads somewhere", () => {
  it("is found, without what ends the sentence", () => {
    expect(pieces("Veja https://loja.example/a?b=1. Ou sac@loja.example!")).toEqual([
      { text: "Veja " },
      { text: "https://loja.example/a?b=1", href: "https://loja.example/a?b=1" },
      { text: ". Ou " },
      { text: "sac@loja.example", href: "mailto:sac@loja.example" },
      { text: "!" },
    ]);
  });

  it("is never a script, and no text is lost", () => {
    for (const text of ["javascript:alert(1)", "", "http://", "a@b", "<https://x.example>"]) {
      const all = pieces(text);
      expect(all.map((piece) => piece.text).join("")).toBe(text);
      for (const { href } of all) expect(href ?? "https:").toMatch(/^(https?|mailto):/);
    }
  });
});

describe("an id of a customer", () => {
  it("reads as it is written in Brazil", () => {
    expect(phone("5531961234567")).toBe("+55 31 96123-4567");
    expect(phone("+553161234567")).toBe("+55 31 6123-4567");
    expect(phone("15551234567")).toBe("+15551234567");
    expect(phone("4001")).toBe("4001");
  });

  it("is not shown where only machines use it", () => {
    expect(readable({ kind: "wa_bsuid", external_id: "BR.1" })).toBeNull();
    expect(readable({ kind: "external", external_id: "visitor:66" })).toBeNull();
    expect(readable({ kind: "wa_id", external_id: "4001" })).toEqual({
      kind: "whatsapp",
      text: "4001",
    });
    expect(readable({ kind: "crm", external_id: "C-9" })).toEqual({ kind: "other", text: "C-9" });
  });
});

describe("codes to close with", () => {
  it("are the ends of the tree, by the names that lead there", () => {
    const tree = [
      {
        id: "p",
        name: "Pedido",
        children: [{ id: "pr", name: "Prazo", children: [], fields: [] }],
      },
      {
        id: "v",
        name: "Venda",
        fields: [
          { name: "valor", required: true, kind: "number" },
          { name: "motivo", required: false, kind: { choice: ["a", "b"] } },
        ],
      },
    ];
    expect(leaves(tree)).toEqual([
      { id: "pr", path: ["Pedido", "Prazo"], fields: [] },
      {
        id: "v",
        path: ["Venda"],
        fields: [
          { name: "valor", required: true, isNumber: true, choices: [] },
          { name: "motivo", required: false, isNumber: false, choices: ["a", "b"] },
        ],
      },
    ]);
    expect(leaves([])).toEqual([]);
  });
});

describe("a template", () => {
  const template = {
    name: "pesquisa",
    language: "pt_BR",
    listed_ms: 0,
    header_names: ["1"],
    body_names: ["1", "nome"],
    template: {
      state: "approved",
      header: { text: "Protocolo {{1}}" },
      body: "Olá, {{ nome }}! Foi {{1}}?",
      footer: "Loja",
    } as never,
  };

  it("reads as the customer gets it, with blanks where nothing was filled in", () => {
    expect(blanks(template).map(({ id }) => id)).toEqual(["header 1", "body 1", "body nome"]);
    expect(filled(template, { "header 1": "77", "body nome": "Caio" })).toEqual({
      header: "Protocolo 77",
      body: "Olá, Caio! Foi {{1}}?",
      footer: "Loja",
    });
  });

  it("is sent with its values by their places", () => {
    const given = { "header 1": "77", "body 1": " bom ", "body nome": "Caio" };
    expect(values(template, given)).toEqual({
      header: { "1": "77" },
      body: { "1": "bom", nome: "Caio" },
    });
  });

  it("goes only when its provider has approved it", () => {
    expect(isUsable(template)).toBe(true);
    expect(isUsable({ ...template, template: { state: "paused" } as never })).toBe(false);
    expect(isUsable({ ...template, template: { state: "flagged" } as never })).toBe(true);
  });

  it("has a file above it, and values on its buttons", () => {
    const whole = {
      ...template,
      body_names: [],
      header_names: [],
      template: {
        header: { media: "image" },
        body: "Oi",
        buttons: [
          { text: "Sim", kind: "quick_reply" },
          { text: "Ver", kind: "url", url: "https://loja.example/{{1}}" },
          { text: "Site", kind: "url", url: "https://loja.example" },
          { text: "Cupom", kind: "copy_code" },
        ],
      } as never,
    };
    expect(above(whole)).toBe("image");
    expect(above(template)).toBeUndefined();
    expect(blanks(whole).map(({ id, on }) => [id, on])).toEqual([
      ["buttons 1", "Ver"],
      ["buttons 3", "Cupom"],
    ]);
    const given = { "buttons 1": "77", "buttons 3": "DEZ" };
    expect(values(whole, given).buttons).toEqual({ "1": "77", "3": "DEZ" });
  });
});

describe("what a channel carries", () => {
  it("counts as the channel counts", () => {
    expect(carries({ text_max: { chars: 4 } }).length("é€😀")).toBe(3);
    expect(carries({ text_max: { bytes: 4 } }).length("é€😀")).toBe(9);
    expect(carries({ text_max: { bytes: 1_000 } }).textMax).toBe(1_000);
  });

  it("is little where nobody says", () => {
    expect(carries(undefined)).toMatchObject({ templates: false, typing: false, files: 1 });
    expect(carries(null).textMax).toBe(Number.POSITIVE_INFINITY);
  });
});
