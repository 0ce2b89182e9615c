import { describe, expect, it } from "vitest";
import type { Schemas } from "../src/api/client";
import { dialled, find, next, takes, wanted } from "../src/pages/phone/find";
import { ticked } from "../src/pages/phone/ticked";
import { mine, seen } from "../src/phone/seen";

type Party = Schemas["Party"];

const party = (role: string, place: string, user: string | null = null): Party => ({
  role,
  place,
  user,
  device: null,
  muted: false,
});

const CUSTOMER = party("customer", "together");
const ANA = party("agent", "together", "ana");

function call(parties: Party[], more: Partial<Schemas["Call"]> = {}): Schemas["Call"] {
  return {
    interaction: "i",
    protocol: "1",
    state: "talking",
    customer: "",
    agent: "ana",
    asks: false,
    recording: "off",
    parties,
    ...more,
  };
}

describe("a call as its agent sees it", () => {
  it("is held while the customer hears music and nobody is asked", () => {
    expect(seen(call([CUSTOMER, ANA]), "ana").isHeld).toBe(false);
    const held = party("customer", "held");
    expect(seen(call([held, ANA]), "ana").isHeld).toBe(true);
    expect(seen(call([held, ANA], { asks: true }), "ana").isHeld).toBe(false);
  });

  it("is mute by what the program says of oneself alone", () => {
    expect(seen(call([CUSTOMER, { ...ANA, muted: true }]), "ana").isMuted).toBe(true);
    expect(seen(call([{ ...CUSTOMER, muted: true }, ANA]), "ana").isMuted).toBe(false);
  });

  it("tells with whom one speaks who asks somebody", () => {
    const asks = (parties: Party[]) => seen(call(parties, { asks: true }), "ana").asks;
    const held = party("customer", "held");
    const aside = party("agent", "aside", "ana");
    expect(asks([held, aside])).toBe("ringing");
    expect(asks([held, aside, party("agent", "aside", "bia")])).toBe("with them");
    expect(asks([CUSTOMER, ANA, party("guest", "held")])).toBe("with the customer");
    expect(asks([CUSTOMER, ANA, party("guest", "together")])).toBe("together");
    expect(seen(call([CUSTOMER, ANA]), "ana").asks).toBe("no");
  });

  it("is another one's where one is asked about it", () => {
    const parties = [party("customer", "held"), party("agent", "aside", "ana")];
    expect(seen(call(parties, { asks: true, agent: "bia" }), "ana").isAsked).toBe(true);
    expect(seen(call(parties, { asks: true }), "ana").isAsked).toBe(false);
  });

  it("is the one in hand before one that is only listened to", () => {
    const listens = call([CUSTOMER, party("listen", "together", "ana")], { agent: "bia" });
    const own = call([CUSTOMER, ANA]);
    expect(mine({ a: listens, b: own }, "ana")).toBe(own);
    expect(mine({ a: listens }, "ana")).toBe(listens);
    expect(mine({ a: call([CUSTOMER], { agent: "bia" }) }, "ana")).toBe(undefined);
  });
});

describe("whom one may hand a call to", () => {
  const agent = (name: string, presence: "available" | "paused" | "offline", load = 0) => ({
    id: name,
    name,
    presence,
    load,
    services: [],
  });
  const targets: Schemas["TargetList"] = {
    agents: [
      agent("Ana Luísa", "paused"),
      agent("Bruno", "available", 100),
      agent("Conceição", "available", 50),
      agent("Davi", "offline"),
    ],
    services: [{ id: "s", name: "Suporte", waiting: 2, available: 0 }],
  };
  const names = (typed: string, numbers = true) =>
    find(targets, typed, numbers).map(({ name }) => name);

  it("begins with who is there, and leaves out who is not", () => {
    expect(names("")).toEqual(["Conceição", "Bruno", "Ana Luísa", "Suporte"]);
  });

  it("is found by a few letters without accents, who is not there too", () => {
    expect(names("conceicao")).toEqual(["Conceição"]);
    expect(names("lui an")).toEqual(["Ana Luísa"]);
    expect(names("davi")).toEqual(["Davi"]);
    expect(names("zé")).toEqual([]);
  });

  it("says who has their attention elsewhere", () => {
    expect(find(targets, "bruno", true)[0]?.state).toBe("busy");
    expect(find(targets, "sup", true)[0]).toMatchObject({ waiting: 2, there: 0 });
  });

  it("is a number where one is dialled and may be", () => {
    expect(find(targets, "11 5555-0100", true)).toEqual([
      { to: { number: "1155550100" }, name: "11 5555-0100", kind: "number" },
    ]);
    expect(names("11 5555-0100", false)).toEqual([]);
  });

  it("takes for a number what a telephone can dial", () => {
    expect(dialled(" (11) 5555-0100 ")).toBe("1155550100");
    expect(dialled("+55 11 5555.0100")).toBe("+551155550100");
    expect(dialled("*72")).toBe("*72");
    expect(dialled("5")).toBe(undefined);
    expect(dialled("ana")).toBe(undefined);
  });

  it("is dialled as it was typed where an extension is a name", () => {
    expect(wanted(" recepcao ")).toBe("recepcao");
    expect(wanted("(11) 5555-0100")).toBe("1155550100");
    expect(wanted("5")).toBe("5");
    expect(wanted("  ")).toBe(undefined);
  });

  it("is nobody who is paused or away, by whatever key", () => {
    const found = find(targets, "a", true).filter(({ kind }) => kind === "agent");
    expect(found.map((one) => [one.name, takes(one)])).toEqual([
      ["Conceição", true],
      ["Ana Luísa", false],
      ["Davi", false],
    ]);
    expect(next(found, -1, 1)).toBe(0);
    expect(next(found, 0, 1)).toBe(0);
    expect(next(found.slice(1), -1, 1)).toBe(-1);
    expect(next([], -1, -1)).toBe(-1);
    const all = find(targets, "", true);
    expect(next(all, 1, 1)).toBe(3);
    expect(next(all, 0, -1)).toBe(3);
  });
});

describe("the clock of a call", () => {
  it("shows minutes, and hours where there are any", () => {
    expect([0, 9_999, 67_000, 3_600_000, 4_812_000].map(ticked)).toEqual([
      "0:00",
      "0:09",
      "1:07",
      "1:00:00",
      "1:20:12",
    ]);
    expect(ticked(-5)).toBe("0:00");
  });
});
