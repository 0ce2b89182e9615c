import { expect, test } from "vitest";
import { pieces } from "../src/links.ts";

const links = (text: string) => pieces(text).flatMap(({ href }) => href ?? []);

test("every piece together is the text again", () => {
  const texts = [
    "",
    "oi",
    "veja www.exemplo.com.br, ok?",
    "(https://a.br/x)",
    "a@b.com e c@d.com.br.",
  ];
  for (const text of texts)
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
});

test("addresses are found without what ends the sentence", () => {
  for (const [text, found] of [
    ["veja https://exemplo.com.br/a?b=1&c=2.", ["https://exemplo.com.br/a?b=1&c=2"]],
    [
      "(https://pt.wikipedia.org/wiki/Vaso_(planta))",
      ["https://pt.wikipedia.org/wiki/Vaso_(planta)"],
    ],
    ["www.exemplo.com.br!", ["https://www.exemplo.com.br/"]],
    ["ana.souza+loja@exemplo.com.br", ["mailto:ana.souza+loja@exemplo.com.br"]],
    ["HTTP://EXEMPLO.COM", ["http://exemplo.com/"]],
    ["https://um.br https://dois.br", ["https://um.br/", "https://dois.br/"]],
    ["R$ 1.234,56 às 10.30", []],
    ["javascript:alert(1) data:text/html,x ftp://x.br", []],
    // A name before the host would be read as the host.
    ["https://banco.com.br@estranho.example/", []],
    ["http://", []],
  ] as const) {
    expect(links(text), text).toEqual(found);
  }
});

test("a long text without an address takes no time", () => {
  const start = performance.now();
  pieces("a".repeat(100_000));
  pieces("www.".repeat(25_000));
  pieces("a@".repeat(50_000));
  expect(performance.now() - start).toBeLessThan(1_000);
});
