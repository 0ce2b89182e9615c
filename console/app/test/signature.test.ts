import { describe, expect, it } from "vitest";
import { shown, signature, written } from "../src/pages/settings/channels/signature";

describe("a signature", () => {
  const kept = {
    paragraphs: [
      {
        align: "center",
        runs: [
          { kind: "text", text: "Ana Souza", bold: true, size: 14, color: "#176b5b" },
          { kind: "break" },
          { kind: "text", text: "site", link: "https://exemplo.com" },
          { kind: "image", media: "logo", alt: "Loja", width: 120 },
        ],
      },
    ],
  };

  it("is the same once it was in the editor", () => {
    expect(signature(written(kept))).toEqual(kept);
  });

  it("is nothing where nothing was written", () => {
    expect(signature(written(undefined))).toEqual({ paragraphs: [] });
    expect(signature({ type: "doc", content: [{ type: "paragraph" }] })).toEqual({
      paragraphs: [],
    });
  });

  it("knows its pictures", () => {
    expect([...shown(written(kept))]).toEqual(["logo"]);
  });
});
