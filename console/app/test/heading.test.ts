import { describe, expect, it } from "vitest";
import { addresses, asked, isSound, odd, read, saidAbove, UNSAID } from "../src/pages/work/heading";

describe("what stands above a mail", () => {
  it("is said only where somebody typed it", () => {
    expect(asked(UNSAID)).toBeUndefined();
    expect(asked({ subject: " Boleto ", cc: "a@x.example; b@x.example", bcc: "" })).toEqual({
      subject: "Boleto",
      cc: ["a@x.example", "b@x.example"],
    });
    expect(asked({ ...UNSAID, bcc: "c@x.example" })).toEqual({ bcc: ["c@x.example"] });
  });

  it("takes addresses apart, and says which is none", () => {
    expect(addresses("a@x.example, b@x.example\nc@x.example ")).toHaveLength(3);
    expect(odd("a@x.example, ana")).toBe("ana");
    expect(odd("a@b@x.example")).toBe("a@b@x.example");
    expect(odd("")).toBeUndefined();
    expect(isSound({ ...UNSAID, bcc: "ana@" })).toBe(false);
  });

  it("is read from what was sent, and from what was begun", () => {
    const mail = { subject: "Boleto", cc: [{ address: "a@x.example", name: "A" }] };
    expect(saidAbove({ content: { kind: "text", text: "Oi", mail } as never })).toEqual({
      subject: "Boleto",
      cc: "a@x.example",
      bcc: "",
    });
    expect(saidAbove({ content: {} as never })).toEqual(UNSAID);
    expect(read("")).toEqual(UNSAID);
    expect(read('{"cc":"a@x.example"}').cc).toBe("a@x.example");
  });
});
