import { Button, Checkbox, Popover } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../api/client";
import { notice, useWhy } from "../../parts/notices";
import { useNumbers } from "../trace/names";
import { flows, numbers } from "./questions";
import css from "./ura.module.css";

type Number = Schemas["Number"];

/** The numbers that lead to a URA, and which do not yet. */
export function Answers({ flow, mayWrite }: { flow: Schemas["Flow"]; mayWrite: boolean }) {
  const { t } = useTranslation("ura");
  const all = useNumbers();
  const { data: others = [] } = useQuery(flows);
  const lead = useLead();
  const ours = all?.filter((one) => one.flow === flow.id) ?? [];
  const elsewhere = (one: Number) =>
    one.flow === flow.id ? undefined : others.find(({ id }) => id === one.flow)?.name;
  return (
    <section className={css.part}>
      <h2>{t("numbers.title")}</h2>
      <div className={css.numbers}>
        {ours.map((one) => (
          <span key={one.id} className={css.number}>
            <IconPhone size={15} aria-hidden="true" />
            {one.number}
            {one.name !== one.number && <small>{one.name}</small>}
          </span>
        ))}
        {all !== undefined && ours.length === 0 && (
          <p className={css.warn}>{t(all.length === 0 ? "numbers.noneAtAll" : "numbers.none")}</p>
        )}
        {mayWrite && all !== undefined && all.length > 0 && (
          <Popover position="bottom-start" shadow="md" radius="md">
            <Popover.Target>
              <Button variant="default" size="xs">
                {t("numbers.choose")}
              </Button>
            </Popover.Target>
            <Popover.Dropdown className={css.choice ?? ""}>
              {all.map((one) => (
                <Checkbox
                  key={one.id}
                  label={one.name === one.number ? one.number : `${one.number} · ${one.name}`}
                  description={elsewhere(one) && t("numbers.elsewhere", { name: elsewhere(one) })}
                  checked={one.flow === flow.id}
                  disabled={lead.isPending}
                  onChange={({ currentTarget: { checked } }) =>
                    lead.mutate({ number: one, flow: checked ? flow.id : null })
                  }
                />
              ))}
            </Popover.Dropdown>
          </Popover>
        )}
      </div>
      {ours.length > 0 && flow.published == null && (
        <p className={css.warn}>{t("numbers.unpublished")}</p>
      )}
    </section>
  );
}

/** Has a number answered by a flow, or by none. */
function useLead() {
  const client = useQueryClient();
  const why = useWhy();
  return useMutation({
    mutationFn: async ({ number, flow }: { number: Number; flow: string | null }) => {
      const { id, company: _, created_ms: __, updated_ms: ___, ...settings } = number;
      const params = { path: { id } };
      const body = { ...settings, flow };
      await asked(api.PUT("/api/v1/numbers/{id}", { params, body }));
      await client.invalidateQueries({ queryKey: numbers.queryKey });
    },
    onMutate: ({ number, flow }) =>
      client.setQueryData(numbers.queryKey, (all) =>
        all?.map((one) => (one.id === number.id ? { ...one, flow } : one)),
      ),
    onError: (error) => {
      notice(why(error));
      return client.invalidateQueries({ queryKey: numbers.queryKey });
    },
  });
}
