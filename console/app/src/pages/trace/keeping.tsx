import { ActionIcon, Button, Menu, Modal, TextInput } from "@mantine/core";
import { IconBookmark, IconBookmarkPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { session } from "../../api/questions";
import { notice, useWhy } from "../../parts/notices";
import { put, saved } from "./kept";
import css from "./list.module.css";
import { keep, type Saved } from "./saved";
import type { Setting } from "./tools";

/** Filters that were given a name: taken up again, and given another one. */
export function Keeping({ filters, set }: Setting) {
  const { t: say } = useTranslation("supervision");
  const { data: me } = useQuery(session);
  const kept = saved(me?.user ?? "");
  const { data: all = [] } = useQuery({ ...kept, enabled: me != null });
  const client = useQueryClient();
  const why = useWhy();
  const [isNaming, setIsNaming] = useState(false);
  const change = useMutation({
    mutationFn: put,
    onMutate: (next) => {
      client.setQueryData(kept.queryKey, next);
    },
    onError: (error) => {
      notice(why(error));
      void client.invalidateQueries(kept);
    },
  });
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconBookmark size={16} stroke={1.7} />}>
            {say("trace.saved.title")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {all.map((one) => (
            <Menu.Item
              key={one.name}
              leftSection={<IconBookmark size={15} stroke={1.7} />}
              onClick={() => set(one.filters)}
            >
              {one.name}
            </Menu.Item>
          ))}
          {all.length > 0 && <Menu.Divider />}
          <Menu.Item
            leftSection={<IconBookmarkPlus size={15} stroke={1.7} />}
            onClick={() => setIsNaming(true)}
          >
            {say("trace.saved.keep")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={isNaming} onClose={() => setIsNaming(false)} title={say("trace.saved.keep")}>
        <Naming
          all={all}
          add={(name) => {
            change.mutate(keep(all, { name, filters }));
            setIsNaming(false);
          }}
          drop={(name) => change.mutate(all.filter((one) => one.name !== name))}
        />
      </Modal>
    </>
  );
}

type NamingProps = {
  all: readonly Saved[];
  add: (name: string) => void;
  drop: (name: string) => void;
};

function Naming({ all, add, drop }: NamingProps) {
  const { t: say } = useTranslation("supervision");
  const [name, setName] = useState("");
  return (
    <form
      className={css.naming}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") add(name.trim());
      }}
    >
      <TextInput
        label={say("trace.saved.name")}
        placeholder={say("trace.saved.example")}
        value={name}
        maxLength={60}
        data-autofocus
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <Button type="submit">{say("trace.saved.save")}</Button>
      {all.length > 0 && (
        <ul className={css.savedList}>
          {all.map((one) => (
            <li key={one.name}>
              <span>{one.name}</span>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={say("trace.saved.drop", { name: one.name })}
                onClick={() => drop(one.name)}
              >
                <IconTrash size={16} stroke={1.7} />
              </ActionIcon>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
