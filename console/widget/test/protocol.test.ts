import { expect, test } from "vitest";
import { readFrame } from "../src/protocol.ts";

const message = (content: object) => ({ seq: 1, author: { kind: "agent" }, content });
const contentOf = (content: object) => {
  const frame = { type: "messages", conversation: "c", after: 0, messages: [message(content)] };
  const read = readFrame(JSON.stringify(frame));
  return read?.type === "messages" ? read.messages[0]?.content : undefined;
};

test("what is no frame is nothing", () => {
  for (const text of [
    "",
    "null",
    "[]",
    "1",
    "{",
    "{}",
    '{"type":1}',
    '{"type":"new"}',
    '{"type":"welcome"}',
    '{"type":"state"}',
    '{"type":"messages","after":0,"messages":[]}',
    '{"type":"messages","conversation":"c","after":"0","messages":[]}',
    '{"type":"messages","conversation":"c","after":0,"messages":[{}]}',
    '{"type":"ack"}',
    '{"type":"error"}',
    '{"type":"constructor"}',
    '{"__proto__":{"type":"alive"}}',
    `${"[".repeat(100_000)}`,
  ]) {
    expect(readFrame(text), text.slice(0, 40)).toBeUndefined();
  }
});

test("fields that we do not know, and those that are not there, do no harm", () => {
  expect(readFrame('{"type":"alive","more":1}')).toEqual({ type: "alive" });
  const state = readFrame('{"type":"state","version":3,"phase":"of a newer server"}');
  expect(state).toMatchObject({ state: { version: 3, phase: "idle", open: true, survey: null } });
});

test("content that we do not know, or that lacks something, is said to be such", () => {
  const odd = { kind: "unsupported" };
  for (const content of [
    {},
    { kind: "hologram" },
    { kind: "text" },
    { kind: "file" },
    { kind: "file", file: { url: "javascript:alert(1)" } },
    { kind: "file", file: { url: "//estranho.example/x" } },
    { kind: "file", file: { url: "/\\estranho.example/x" } },
    { kind: "file", file: { url: "https://estranho.example/x" } },
    { kind: "location", latitude: "1", longitude: 2 },
    { kind: "choice", id: "1" },
  ]) {
    expect(contentOf(content), JSON.stringify(content)).toEqual(odd);
  }
  expect(
    contentOf({ kind: "choices", text: "?", choices: [{ id: "1" }, { id: "2", title: "b" }] }),
  ).toEqual({
    kind: "choices",
    text: "?",
    choices: [{ id: "2", title: "b" }],
  });
  expect(contentOf({ kind: "file", file: { url: "/webchat/c/files/1", kind: "film" } })).toEqual({
    kind: "file",
    file: { kind: "document", name: "", mime: "", bytes: 0, url: "/webchat/c/files/1" },
  });
});

test("a survey has the questions that we can ask, and is none without one", () => {
  const surveyOf = (survey: object) => {
    const read = readFrame(JSON.stringify({ type: "state", version: 1, survey }));
    return read?.type === "state" ? read.state.survey : undefined;
  };
  expect(surveyOf({ id: "s", questions: [{ id: "q", kind: "hologram" }] })).toBeNull();
  expect(surveyOf({ id: "s", questions: [{ id: "q", kind: "nps", text: "?" }, {}] })).toEqual({
    id: "s",
    questions: [{ id: "q", kind: "nps", text: "?", required: false, choices: [] }],
  });
});
