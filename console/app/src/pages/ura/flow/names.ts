// What steps are called, and what they do in a few words.

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { services } from "../../../api/questions";
import type { Document, Node, Say } from "../document";
import { calendars, flows, prompts } from "../questions";

/** The first words that a step says. */
function said(say: readonly Say[] | undefined, prompt: (id: string) => string): string {
  const first = say?.[0];
  if (first === undefined) return "";
  if (first.kind === "text") return first.text;
  if (first.kind === "prompt") return prompt(first.prompt);
  return first.kind === "sound" ? "" : first.value;
}

/** How the steps of a document are told apart. */
export function useNames(document: Document) {
  const { t } = useTranslation("ura");
  const { data: queues = [] } = useQuery(services);
  const { data: hours = [] } = useQuery(calendars);
  const { data: sounds = [] } = useQuery(prompts);
  const { data: others = [] } = useQuery(flows);
  type Named = readonly { id: string; name: string }[];
  const named = (all: Named, id: string) => all.find((one) => one.id === id)?.name ?? "";

  const does = (node: Node): string => {
    switch (node.kind) {
      case "hours":
        return "id" in node.calendar
          ? named(hours, node.calendar.id)
          : t(node.calendar.inline.schedule === "always" ? "hours.always" : "hours.own");
      case "prompt":
      case "menu":
      case "collect":
      case "hang-up":
        return said(node.say, (id) => named(sounds, id));
      case "record":
      case "queue":
        return named(queues, node.service);
      case "flow":
        return named(others, node.flow);
      case "dial":
        return "number" in node.to ? node.to.number : node.to.extension;
      case "lookup":
        return node.url;
      case "set":
        return `${node.variable} = ${node.value}`;
      case "condition":
      case "return":
        return "";
    }
  };
  const title = (id: string): string => {
    const node = document.nodes[id];
    if (node === undefined) return id;
    return document.layout?.[id]?.title || t(`kind.${node.kind}.name`);
  };
  /** The title, with the step's id where several have the same. */
  const told = (id: string): string => {
    const own = title(id);
    const isShared = Object.keys(document.nodes).some((one) => one !== id && title(one) === own);
    const node = document.nodes[id];
    const more = isShared && node !== undefined ? does(node) || id : "";
    return more === "" ? own : `${own} · ${more.slice(0, 40)}`;
  };
  return { title, told, does };
}

export type Names = ReturnType<typeof useNames>;
