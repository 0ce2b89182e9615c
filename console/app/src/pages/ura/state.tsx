import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { saysTheSame } from "./document";
import { draft, version } from "./questions";
import css from "./ura.module.css";

/** Whether callers hear the draft as it is. */
export function State({ flow }: { flow: Schemas["Flow"] }) {
  const { t } = useTranslation("ura");
  const published = flow.published ?? 0;
  const { data: now } = useQuery({ ...draft(flow.id), enabled: published > 0 });
  const { data: then } = useQuery({ ...version(flow.id, published), enabled: published > 0 });
  if (published === 0) {
    return (
      <span className={css.state} data-is="never">
        {t("state.never")}
      </span>
    );
  }
  const differs = now !== undefined && then !== undefined && !saysTheSame(now.flow, then.flow);
  return (
    <span className={css.state} data-is={differs ? "differs" : "published"}>
      {t(differs ? "state.differs" : "state.published", { version: published })}
    </span>
  );
}
