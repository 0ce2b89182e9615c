import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { notice, useWhy } from "../../../parts/notices";
import { devices } from "../kept";
import parts from "../parts/parts.module.css";
import { all } from "../parts/resource";
import { useShowDevice } from "./devices";

/** The telephones of a person, and one more at a press. */
export function Devices({ user }: { user: { id: string; name: string; email: string } }) {
  const { t } = useTranslation("settings");
  const { data } = useQuery(all(devices));
  const client = useQueryClient();
  const show = useShowDevice();
  const why = useWhy();
  const own = data?.filter((device) => device.user === user.id) ?? [];
  const adding = useMutation({
    mutationFn: () => {
      const before = user.email.split("@")[0] ?? "";
      const username = own.length === 0 ? before : `${before}-${own.length + 1}`;
      return devices.create({ username, display_name: user.name, user: user.id });
    },
    onSuccess: (made) => {
      show(made);
      return client.invalidateQueries({ queryKey: [devices.key] });
    },
    onError: (error) => notice(why(error)),
  });
  return (
    <div>
      <ul className={parts.things}>
        {own.map(({ id, username, extension, number }) => (
          <li key={id}>
            <Link to="/settings/$section/$id" params={{ section: "devices", id }}>
              {username}
            </Link>
            <span>{number ?? extension ?? t("devices.noExtension")}</span>
          </li>
        ))}
      </ul>
      <Button
        mt={own.length > 0 ? 12 : 0}
        variant="default"
        leftSection={<IconPlus size={16} />}
        loading={adding.isPending}
        onClick={() => adding.mutate()}
      >
        {t("devices.add")}
      </Button>
    </div>
  );
}
