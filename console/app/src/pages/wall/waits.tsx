import { Button, Skeleton } from "@mantine/core";
import { IconArrowBigUpLine, IconArrowBigUpLineFilled, IconRoute } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { MediumIcon } from "../../parts/medium";
import { notice, useWhy } from "../../parts/notices";
import { span } from "../trace/rows";
import { Decision } from "../trace/why";
import { Move } from "./move";
import css from "./panel.module.css";
import { explanation, handOn, setPriority, setService } from "./questions";

type Props = {
  line: Schemas["InLine"];
  found: Schemas["Interaction"] | undefined;
  now: number;
};

/** What counts as having waited longer by as many minutes: before everybody of an hour. */
const URGENT = 60;

/** A customer who waits: since when, why nobody has them yet, and what can be done for them. */
export function Waits({ line, found, now }: Props) {
  const { t: say } = useTranslation("supervision");
  const why = useWhy();
  const [asks, setAsks] = useState(false);
  const hurry = useMutation({
    mutationFn: () => setPriority(line.work, URGENT),
    onSuccess: () => notice(say("wall.hurried")),
    onError: (error) => notice(why(error)),
  });
  return (
    <li className={css.held}>
      <p className={css.what}>
        <MediumIcon kind={line.medium} size={17} />
        <Link to="/trace/$interaction" params={{ interaction: line.interaction }}>
          {found === undefined ? "…" : found.from_name || found.from || say("trace.withheld")}
        </Link>
        <time>{span(now - line.arrived_ms)}</time>
      </p>
      <p className={css.about}>
        {line.offered_to.length > 0 ? say("wall.offered") : (found?.protocol ?? "")}
      </p>
      <div className={css.parts}>
        <Button
          size="xs"
          variant="default"
          disabled={hurry.isSuccess}
          leftSection={
            hurry.isSuccess ? (
              <IconArrowBigUpLineFilled size={15} />
            ) : (
              <IconArrowBigUpLine size={15} stroke={1.8} />
            )
          }
          onClick={() => hurry.mutate()}
        >
          {say("wall.hurry")}
        </Button>
        <Move
          service={line.service}
          move={(to) =>
            "service" in to ? setService(line.work, to.service) : handOn(line.interaction, to)
          }
        />
        <Button
          size="xs"
          variant="default"
          aria-expanded={asks}
          leftSection={<IconRoute size={15} stroke={1.8} />}
          onClick={() => setAsks(!asks)}
        >
          {say("wall.why")}
        </Button>
      </div>
      {asks && <Explained work={line.work} />}
    </li>
  );
}

function Explained({ work }: { work: string }) {
  const { t } = useTranslation();
  const { data: found, isError } = useQuery(explanation(work));
  if (isError) return <p className={css.none}>{t("failed.load")}</p>;
  if (found === undefined) return <Skeleton height={80} mt={10} />;
  return (
    <ul className={css.why}>
      <Decision said={found.sentence} />
    </ul>
  );
}
