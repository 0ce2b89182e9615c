// Recordings on their way to the program.

import { api, asked, type Schemas } from "../../api/client";
import type { FlowLanguage } from "./document";

/** The recordings that the program reads. */
export const SOUNDS = ".mp3,.wav,.flac,.ogg,audio/mpeg,audio/wav,audio/flac,audio/ogg";

/** What a recording is called before somebody says it: as its file, without the ending. */
export function nameOf(file: string): string {
  const name = file
    .replace(/\.[^.]+$/, "")
    .replaceAll(/[_-]+/g, " ")
    .trim();
  return (name === "" ? file : name).slice(0, 100);
}

type About = { name?: string; language: FlowLanguage; text?: string };

/** Lays a recording down: a draft, until it is published. */
export function upload(file: File, about: About): Promise<Schemas["Prompt"]> {
  const form = new FormData();
  form.set("file", file);
  form.set("name", about.name ?? nameOf(file.name));
  form.set("language", about.language);
  if (about.text !== undefined) form.set("text", about.text);
  return asked(
    api.POST("/api/v1/prompts", {
      // What goes is the form as it is: the browser writes its parts and where they end.
      body: form as unknown as Schemas["UploadForm"],
      bodySerializer: (body: unknown) => body as FormData,
    }),
  );
}
