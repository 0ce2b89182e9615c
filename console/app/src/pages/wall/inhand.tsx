import { Button } from "@mantine/core";
import {
  IconEar,
  IconEye,
  IconMessage2Share,
  IconPhoneIncoming,
  IconUsersPlus,
} from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { session } from "../../api/questions";
import { useStore } from "../../live/store";
import { MediumIcon } from "../../parts/medium";
import { notice, useWhy } from "../../parts/notices";
import { expect, hangUp, phone, ready } from "../../phone/handset";
import { useNames } from "../trace/names";
import { interaction } from "../trace/questions";
import { span } from "../trace/rows";
import { partOf } from "./board";
import { Move } from "./move";
import css from "./panel.module.css";
import { handOn, type Order, order } from "./questions";

const PARTS = [
  { how: "listen", Icon: IconEar },
  { how: "whisper", Icon: IconMessage2Share },
  { how: "barge", Icon: IconUsersPlus },
] as const;

/** A call that an agent has in hand: to be heard, spoken into, or taken. */
export function HandCall({ call, now }: { call: Schemas["Call"]; now: number }) {
  const { t: say } = useTranslation("supervision");
  const why = useWhy();
  const names = useNames();
  const { data: me } = useQuery(session);
  const { data: found } = useQuery(interaction(call.interaction));
  const mine = partOf(call, me?.user ?? "");
  // Who takes part by a telephone on the desk leaves by hanging that up.
  const isHere = useStore(phone, (value) => value !== null && value.leg.is !== "none");
  const give = useMutation({
    mutationFn: async (what: Order) => {
      // Who watches takes no calls otherwise: this window is made a telephone, or theirs on the desk rings.
      if (mine === undefined) await ready().then(expect, () => {});
      return order(call.interaction, what);
    },
    onError: (error) => notice(why(error)),
    onSuccess: () => {
      if (mine === undefined) notice(say("wall.rings"));
    },
  });
  const isHeld = call.parties.some(({ role, place }) => role === "customer" && place === "held");
  return (
    <article className={css.held} data-call="true">
      <p className={css.what}>
        <MediumIcon kind="phone" size={17} />
        <Link to="/trace/$interaction" params={{ interaction: call.interaction }}>
          {call.customer || say("trace.withheld")}
        </Link>
        <time>{found === undefined ? "" : span(now - found.started_ms)}</time>
      </p>
      <p className={css.about}>
        {[names.service(call.service), call.protocol, isHeld ? say("one.phase.held") : ""]
          .filter((part) => part !== "")
          .join(" · ")}
      </p>
      <div className={css.parts}>
        {PARTS.map(({ how, Icon }) => (
          <Button
            key={how}
            size="xs"
            variant={mine === how ? "filled" : "default"}
            aria-pressed={mine === how}
            leftSection={<Icon size={15} stroke={1.8} />}
            onClick={() => give.mutate(how)}
          >
            {say(`wall.part.${how}`)}
          </Button>
        ))}
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPhoneIncoming size={15} stroke={1.8} />}
          onClick={() => give.mutate("take_over")}
        >
          {say("wall.part.take_over")}
        </Button>
        {mine !== undefined && isHere && (
          <Button size="xs" variant="default" onClick={hangUp}>
            {say("wall.part.leave")}
          </Button>
        )}
      </div>
    </article>
  );
}

type WrittenProps = { held: Schemas["InHand"]; agent: string; now: number };

/** A conversation that an agent has in hand: to be read, of which nobody is told, or handed on. */
export function HandWritten({ held, agent, now }: WrittenProps) {
  const { t: say } = useTranslation("supervision");
  const names = useNames();
  const { interaction: id } = held;
  const { data: found } = useQuery({ ...interaction(id), refetchInterval: false });
  const isHandled = held.doing !== "wrapping up" && held.doing !== "offered";
  return (
    <article className={css.held}>
      <p className={css.what}>
        <MediumIcon kind={held.medium} size={17} />
        <Link to="/trace/$interaction" params={{ interaction: id }}>
          {found === undefined ? "…" : found.from_name || found.from || say("trace.withheld")}
        </Link>
        <time>{span(now - held.arrived_ms)}</time>
      </p>
      <p className={css.about}>
        {[names.service(held.service), found?.protocol ?? "", doing(say, held.doing)]
          .filter((part) => part !== "")
          .join(" · ")}
      </p>
      <div className={css.parts}>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconEye size={15} stroke={1.8} />}
          renderRoot={(props) => (
            <Link {...props} to="/trace/$interaction" params={{ interaction: id }} />
          )}
        >
          {say("wall.readUnseen")}
        </Button>
        {isHandled && <Move service={held.service} agent={agent} move={(to) => handOn(id, to)} />}
      </div>
    </article>
  );
}

/** What is done with it, where it is not talked. */
function doing(say: TFunction<"supervision">, what: string): string {
  if (what === "wrapping up") return say("wall.is.wrapping");
  return what === "offered" ? say("wall.is.offered") : "";
}
