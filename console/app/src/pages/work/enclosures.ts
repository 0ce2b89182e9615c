import { useState } from "react";
import { api, asked } from "../../api/client";
import { useWhy } from "../../parts/notices";

/** A file that goes with the next message. */
export type Enclosure = {
  readonly id: string;
  readonly name: string;
  /** Its id with the program, once it lies there. */
  readonly upload?: string;
  /** Why it does not. */
  readonly why?: string;
};

/** The files of the next message: laid down with the program as soon as they are chosen. */
export function useEnclosures(interaction: string, most: number) {
  const [all, setAll] = useState<readonly Enclosure[]>([]);
  const why = useWhy();
  const lay = async (file: File) => {
    const name = file.name || "arquivo";
    const one: Enclosure = { id: crypto.randomUUID(), name };
    setAll((before) => [...before, one]);
    const became = (what: Partial<Enclosure>) =>
      setAll((now) => now.map((other) => (other.id === one.id ? { ...other, ...what } : other)));
    try {
      const upload = await asked(
        api.POST("/api/v1/interactions/{id}/uploads", {
          params: { path: { id: interaction }, query: { name } },
          headers: { "content-type": "application/octet-stream" },
          // The description says bytes as numbers; what goes is the file as it is.
          body: file as unknown as number[],
          bodySerializer: (body: unknown) => body as File,
        }),
      );
      became({ upload: upload.upload_id });
    } catch (error) {
      became({ why: why(error) });
    }
  };
  return {
    all,
    add(files: FileList | null) {
      const room = Math.max(0, most - all.length);
      for (const file of [...(files ?? [])].slice(0, room)) void lay(file);
    },
    /** Lays down this one, in the place of all others. */
    only(files: FileList | null) {
      setAll([]);
      for (const file of [...(files ?? [])].slice(0, 1)) void lay(file);
    },
    drop: (id: string) => setAll((before) => before.filter((one) => one.id !== id)),
    clear: () => setAll([]),
  };
}
