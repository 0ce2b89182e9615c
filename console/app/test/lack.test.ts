import { describe, expect, it } from "vitest";
import { isGrave, lackOfChannel, lackOfNumber } from "../src/pages/settings/channels/lack";
import { canBeTried, type Mail } from "../src/pages/settings/channels/mail";

describe("what a number lacks", () => {
  const flows = [
    { id: "a", published: 2 },
    { id: "b", published: null },
  ];

  it("is a flow, and then that it is published", () => {
    expect(lackOfNumber({ flow: null }, flows)).toBe("flow");
    expect(lackOfNumber({ flow: "b" }, flows)).toBe("unpublished");
    expect(lackOfNumber({ flow: "a" }, flows)).toBeUndefined();
  });

  it("is not said while flows are not known", () => {
    expect(lackOfNumber({ flow: "b" }, undefined)).toBeUndefined();
  });

  it("does not matter where it was switched off", () => {
    expect(lackOfNumber({ flow: null, disabled: true }, flows)).toBe("off");
  });
});

describe("what a channel lacks", () => {
  const channel = (kind: string, settings: object = {}) => ({ kind, disabled: false, settings });

  it("is what must be done first", () => {
    expect(lackOfChannel(channel("whatsapp"), { hasAgents: false })).toBe("account");
    expect(lackOfChannel(channel("email"), { hasAgents: false, mailbox: "failing" })).toBe(
      "agents",
    );
    expect(lackOfChannel(channel("email"), { hasAgents: true, mailbox: "failing" })).toBe(
      "failing",
    );
    expect(lackOfChannel(channel("generic"), { hasAgents: true })).toBe("webhook");
    expect(lackOfChannel(channel("webchat", { origins: [] }), {})).toBe("origins");
    expect(lackOfChannel(channel("webchat", { origins: ["https://a"] }), {})).toBeUndefined();
  });

  it("is grave only where nothing comes or goes", () => {
    expect(isGrave("account")).toBe(true);
    expect(isGrave("silent")).toBe(false);
  });
});

describe("a mailbox", () => {
  const server = { host: "mail.loja.example", port: 993, security: "tls" };
  const mail = { address: "sac@loja.example", receiving: server, sending: server } as Mail;

  it("can be tried once there is enough of it", () => {
    expect(canBeTried({ ...mail, password: "segredo" }, false)).toBe(true);
    expect(canBeTried(mail, true)).toBe(true);
    expect(canBeTried(mail, false)).toBe(false);
    expect(canBeTried({ ...mail, address: "sac" }, true)).toBe(false);
    expect(canBeTried({ ...mail, sending: { ...server, host: " " } }, true)).toBe(false);
    expect(canBeTried({ ...mail, login: "google", receiving: null, sending: null }, false)).toBe(
      true,
    );
  });
});
