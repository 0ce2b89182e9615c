import { expect, test } from "vitest";
import { Link } from "../src/machine/link.ts";

function outputs(link: Link): string[] {
  const done: string[] = [];
  for (let out = link.pollOutput(); out; out = link.pollOutput()) {
    done.push(out.do === "connect" ? `connect ${out.way}` : out.do);
  }
  return done;
}

/** The moments at which a connection is tried when each fails at once. */
function tries(chance: number, count: number): number[] {
  const link = new Link(() => chance);
  link.want(0);
  const at: number[] = [];
  let now = 0;
  while (at.length < count) {
    if (outputs(link).some((out) => out.startsWith("connect"))) at.push(now);
    link.handleClosed(now);
    now = link.pollTimeout() ?? Number.NaN;
    link.handleTimeout(now);
  }
  return at;
}

test("tries come ever later, up to 30 s apart, and by chance up to half of that earlier", () => {
  expect(tries(1, 9)).toEqual([0, 500, 1500, 3500, 7500, 15500, 31500, 61500, 91500]);
  expect(tries(0, 5)).toEqual([0, 250, 750, 1750, 3750]);
});

test("nobody connects before somebody needs it", () => {
  const link = new Link(() => 1);
  link.handleOnline(0);
  link.handleClosed(0);
  expect(outputs(link)).toEqual([]);
  expect(link.pollTimeout()).toBeUndefined();
});

test("three sockets that did not come to a welcome are followed by polling, which tries a socket again", () => {
  const link = new Link(() => 0);
  link.want(0);
  let now = 0;
  for (let lame = 0; lame < 3; lame += 1) {
    expect(outputs(link)).toEqual(["connect socket"]);
    link.handleOpened(now);
    expect(outputs(link)).toEqual(["hello"]);
    link.handleClosed(now);
    now = link.pollTimeout() ?? 0;
    link.handleTimeout(now);
  }
  expect(outputs(link)).toEqual(["connect poll"]);
  link.handleOpened(now);
  link.handleWelcome(now);
  expect(outputs(link)).toEqual(["hello"]);
  expect(link.isLive).toBe(true);
  for (let heard = now; heard < now + 300_000; heard += 20_000) link.handleHeard(heard);
  expect(link.pollTimeout()).toBe(now + 300_000);
  link.handleTimeout(now + 300_000);
  expect(outputs(link)).toEqual(["disconnect", "connect socket"]);
  link.handleClosed(now + 300_000);
  link.handleTimeout(link.pollTimeout() ?? 0);
  expect(outputs(link)).toEqual(["connect poll"]);
});

test("a socket that was good is followed by a socket", () => {
  const link = new Link(() => 0);
  link.want(0);
  for (let round = 0; round < 10; round += 1) {
    const now = link.pollTimeout() ?? 0;
    if (round > 0) link.handleTimeout(now);
    link.handleOpened(now);
    link.handleWelcome(now);
    expect(outputs(link)).toEqual(["connect socket", "hello"]);
    link.handleClosed(now);
  }
});

test("whoever was connected is tried again soon", () => {
  const link = new Link(() => 1);
  link.want(0);
  let now = 0;
  for (let failed = 0; failed < 8; failed += 1) {
    link.handleClosed(now);
    now = link.pollTimeout() ?? 0;
    link.handleTimeout(now);
  }
  link.handleOpened(now);
  link.handleWelcome(now);
  link.handleClosed(now);
  expect(link.pollTimeout()).toBe(now + 500);
});

test("a connection that does not open, greet or speak is given up", () => {
  const link = new Link(() => 0);
  link.want(0);
  expect(link.pollTimeout()).toBe(10_000);
  link.handleTimeout(10_000);
  expect(outputs(link)).toEqual(["connect socket", "disconnect"]);
  expect(link.pollTimeout()).toBe(10_250);
  link.handleTimeout(10_250);
  link.handleOpened(11_000);
  expect(link.pollTimeout()).toBe(26_000);
  link.handleWelcome(12_000);
  expect(link.pollTimeout()).toBe(72_000);
  link.handleHeard(20_000);
  link.handleTimeout(72_000);
  expect(link.isLive).toBe(true);
  link.handleTimeout(80_000);
  expect(link.isLive).toBe(false);
  expect(outputs(link)).toEqual(["connect socket", "hello", "disconnect"]);
});

test("the network's return ends the wait", () => {
  const link = new Link(() => 1);
  link.want(0);
  link.handleClosed(0);
  outputs(link);
  link.handleOnline(10);
  expect(outputs(link)).toEqual(["connect socket"]);
});

test("what is over stays over, but for a page that was replaced and is shown again", () => {
  for (const [why, again] of [
    ["blocked", []],
    ["replaced", ["connect socket"]],
  ] as const) {
    const link = new Link(() => 0);
    link.want(0);
    outputs(link);
    link.end(why);
    link.handleClosed(0);
    link.handleOnline(1);
    link.want(1);
    expect(outputs(link)).toEqual(["disconnect"]);
    expect(link.pollTimeout()).toBeUndefined();
    link.handleShown(2);
    expect(outputs(link)).toEqual(again);
  }
});
