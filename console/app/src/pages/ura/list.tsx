import { Button, Skeleton } from "@mantine/core";
import { IconPlus, IconRoute } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { may } from "../../api/may";
import { session } from "../../api/questions";
import { Empty } from "../../parts/empty";
import { day, useNow } from "../../parts/time";
import { Create } from "./create";
import { Deeds } from "./deeds";
import { flows } from "./questions";
import { State } from "./state";
import "./styles";
import { useNumbers } from "../trace/names";
import css from "./ura.module.css";

/** All URAs: which number leads to which, and whether callers hear them as they are drawn. */
export function List() {
  const { t, i18n } = useTranslation("ura");
  const { t: core } = useTranslation();
  const { data: me } = useQuery(session);
  const { data: all } = useQuery(flows);
  const known = useNumbers();
  const [isMaking, setIsMaking] = useState(false);
  const now = useNow(60_000);
  useEffect(() => {
    document.title = `${core("nav.ura")} · ${core("name")}`;
  }, [core]);
  const mayWrite = may(me, "flows", "change");
  const sorted = [...(all ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  const make = mayWrite && (
    <Button
      leftSection={<IconPlus size={16} aria-hidden="true" />}
      onClick={() => setIsMaking(true)}
    >
      {t("list.make")}
    </Button>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <div className={css.page} tabIndex={0}>
      <div className={css.listed}>
        <header className={css.listHead}>
          <div>
            <h1>{t("list.title")}</h1>
            <p>{t("list.text")}</p>
          </div>
          {sorted.length > 0 && make}
        </header>
        {all === undefined && <Skeleton height={180} radius="lg" />}
        {all !== undefined && sorted.length === 0 && (
          <Empty
            icon={<IconRoute size={44} stroke={1.3} />}
            title={t("list.none")}
            text={t("list.noneText")}
          >
            {make}
          </Empty>
        )}
        <ul className={css.list}>
          {sorted.map((flow) => {
            const leads = known?.filter((one) => one.flow === flow.id) ?? [];
            return (
              <li key={flow.id}>
                <Link to="/ura/$flow" params={{ flow: flow.id }} className={css.line}>
                  <strong>{flow.name}</strong>
                  <span className={css.leads}>
                    {leads.length > 0
                      ? leads.map((one) => one.number).join(" · ")
                      : known !== undefined && t("list.noNumber")}
                  </span>
                  <State flow={flow} />
                  <time dateTime={new Date(flow.updated_ms).toISOString()}>
                    {day(core, i18n.language, flow.updated_ms, now)}
                  </time>
                </Link>
                {mayWrite && <Deeds flow={flow} />}
              </li>
            );
          })}
        </ul>
      </div>
      {isMaking && <Create close={() => setIsMaking(false)} />}
    </div>
  );
}
