import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas, type Work } from "../../api/client";
import { work as question } from "../../api/questions";
import { notice, useWhy } from "../../parts/notices";
import { keepDraft } from "../work/drafts";
import Targets from "./targets";

type Handing = Schemas["Handing"];

/** What is written goes to somebody else, with a word for them. */
export default function HandOn({ work, close }: { work: Work; close: () => void }) {
  const { t } = useTranslation("phone");
  const client = useQueryClient();
  const why = useWhy();
  const hand = useMutation({
    mutationFn: async (body: Handing) => {
      const params = { path: { id: work.interaction } };
      await asked(api.POST("/api/v1/interactions/{id}/transfer", { params, body }));
      await client.invalidateQueries({ queryKey: question.queryKey });
    },
    onSuccess: () => {
      keepDraft(work.interaction, "");
      notice(t("target.done"));
      close();
    },
    onError: (error) => notice(why(error)),
  });
  return (
    <Targets
      title={t("target.transfer")}
      does={t("do.transfer")}
      numbers={false}
      note
      isGoing={hand.isPending}
      go={(to, note) => !("number" in to) && hand.mutate({ to, ...(note === "" ? {} : { note }) })}
      close={close}
    />
  );
}
