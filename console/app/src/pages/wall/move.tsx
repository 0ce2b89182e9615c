import { Button, Menu } from "@mantine/core";
import { IconArrowsRightLeft, IconChevronDown } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { live } from "../../live/live";
import { useStore } from "../../live/store";
import { notice, useWhy } from "../../parts/notices";
import { useServices } from "../trace/names";

type To = { readonly service: string } | { readonly agent: string };

type Props = {
  /** Where it is now. */
  service: string;
  agent?: string;
  move: (to: To) => Promise<unknown>;
};

/** To another queue; what somebody has in hand to another agent as well. */
export function Move({ service, agent, move }: Props) {
  const { t: say } = useTranslation("supervision");
  const why = useWhy();
  const all = useServices();
  const agents = useStore(live, (state) => state.agents);
  const there = Object.values(agents).filter(
    (one) => agent !== undefined && one.id !== agent && one.presence === "available",
  );
  const others = all?.filter(({ id, disabled }) => id !== service && disabled !== true);
  const moved = useMutation({
    mutationFn: move,
    onSuccess: () => notice(say("wall.moved")),
    onError: (error) => notice(why(error)),
  });
  return (
    <Menu position="bottom-start" width={240}>
      <Menu.Target>
        <Button
          size="xs"
          variant="default"
          loading={moved.isPending}
          leftSection={<IconArrowsRightLeft size={15} stroke={1.8} />}
          rightSection={<IconChevronDown size={13} />}
        >
          {say("wall.move")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={340} style={{ overflowY: "auto" }}>
        <Menu.Label>{say("wall.queues")}</Menu.Label>
        {others?.map(({ id, name }) => (
          <Menu.Item key={id} onClick={() => moved.mutate({ service: id })}>
            {name}
          </Menu.Item>
        ))}
        {there.length > 0 && <Menu.Label>{say("wall.agents")}</Menu.Label>}
        {there.map(({ id, name }) => (
          <Menu.Item key={id} onClick={() => moved.mutate({ agent: id })}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
