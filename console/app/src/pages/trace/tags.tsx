import "@mantine/core/styles/Pill.css";
import "@mantine/core/styles/PillsInput.css";
import { TagsInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import { interaction, tags as ofTags } from "./questions";

/** As many as the program keeps, and as long as it takes them. */
const [TAGS_MAX, LETTERS_MAX] = [20, 40];

/** Words by which an interaction is found again: kept as they are written. */
export function Tags({ id, tags }: { id: string; tags: readonly string[] }) {
  const { t: say } = useTranslation("supervision");
  const { data: known = [] } = useQuery(ofTags);
  const client = useQueryClient();
  const why = useWhy();
  const setting = useMutation({
    mutationFn: (tags: string[]) => {
      const params = { path: { id } };
      return asked(api.PUT("/api/v1/interactions/{id}/tags", { params, body: { tags } }));
    },
    onSettled: async () => {
      await client.invalidateQueries(interaction(id));
      void client.invalidateQueries({ queryKey: ["interactions"] });
      void client.invalidateQueries(ofTags);
    },
    onError: (error) => notice(why(error)),
  });
  const shown = setting.isPending ? setting.variables : [...tags];
  return (
    <TagsInput
      label={say("one.tags")}
      placeholder={shown.length === 0 ? say("one.addTag") : ""}
      size="xs"
      data={known.map(({ tag }) => tag)}
      value={shown}
      maxTags={TAGS_MAX}
      acceptValueOnBlur
      onChange={(all) =>
        setting.mutate(all.map((tag) => tag.trim().toLowerCase().slice(0, LETTERS_MAX)))
      }
    />
  );
}
