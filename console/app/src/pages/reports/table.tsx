import { UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import type { Filters } from "../trace/address";
import type { Kind, Wanted } from "./address";
import { COLUMNS, MEASURES, type Order, type Row, sorted, whole } from "./figures";
import { useFormat } from "./format";
import css from "./reports.module.css";

type Props = {
  by: Exclude<Kind, "surveys">;
  found: Schemas["Report"];
  wanted: Wanted;
};

/** The same figures, row by row. */
export function Figures({ by, found, wanted }: Props) {
  const { t: say } = useTranslation("supervision");
  const format = useFormat();
  const [order, setOrder] = useState<Order | null>(null);
  const columns = COLUMNS[by];
  const total = whole(found);
  const turn = (column: Order["by"]) =>
    setOrder(
      order?.by === column
        ? { by: column, isUp: !order.isUp }
        : { by: column, isUp: column === "name" },
    );
  return (
    <div className={css.frame}>
      <table className={css.table}>
        <caption className="unseen">{say(`reports.by.${by}`)}</caption>
        <thead>
          <tr>
            {(["name", ...columns] as const).map((column) => (
              <th key={column} scope="col" aria-sort={sortOf(order, column)}>
                <UnstyledButton onClick={() => turn(column)}>
                  {column === "name" ? say(`reports.one.${by}`) : say(`reports.measure.${column}`)}
                  {order?.by === column &&
                    (order.isUp ? <IconArrowUp size={13} /> : <IconArrowDown size={13} />)}
                </UnstyledButton>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(found.items, order).map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <Named by={by} row={row} wanted={wanted} />
              </th>
              {columns.map((column) => (
                <td key={column}>{format.figure(column, MEASURES[column].is(row))}</td>
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{say("reports.total")}</th>
            {columns.map((column) => (
              <td key={column}>{format.figure(column, MEASURES[column].is(total))}</td>
            ))}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function sortOf(order: Order | null, column: Order["by"]) {
  if (order?.by !== column) return undefined;
  return order.isUp ? "ascending" : "descending";
}

/** Its name, which leads to the interactions that were counted. */
function Named({ by, row, wanted }: { by: Kind; row: Row; wanted: Wanted }) {
  const format = useFormat();
  const name = format.name(by, row);
  const search = drill(by, row, wanted);
  if (search === null) return name;
  return (
    <Link to="/trace" search={search}>
      {name}
    </Link>
  );
}

/** The filters that find what a row counts; nothing where the list cannot be narrowed so. */
function drill(by: Kind, row: Row, { period, from, until, service }: Wanted): Filters | null {
  const time = { ...(period && { period }), ...(from && { from }), ...(until && { until }) };
  switch (by) {
    case "services":
      return { ...time, service: row.key };
    case "days":
      return { period: "free", from: row.key, until: row.key, ...(service && { service }) };
    default:
      return null;
  }
}
