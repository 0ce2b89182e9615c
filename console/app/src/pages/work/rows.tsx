import { useTranslation } from "react-i18next";
import type { Message } from "../../api/client";
import { day, useNow } from "../../parts/time";
import { Bubbles, Note, type Talked } from "./bubbles";
import { type Noted, rows } from "./notes";
import css from "./talk.module.css";

type Props = { all: readonly Message[]; noted: readonly Noted[]; work: Talked };

/** What was written, to the customer and among colleagues, under its days. */
export function Rows({ all, noted, work }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow(60_000);
  let last = 0;
  return rows(all, noted).map((row) => {
    const isNew = row.day !== last;
    last = row.day;
    const key = row.kind === "note" ? `note ${row.note.at_ms}` : row.group.items[0]?.id;
    return (
      <div key={key} className={css.part}>
        {isNew && <p className={css.day}>{day(t, i18n.language, row.day, now)}</p>}
        {row.kind === "note" ? <Note note={row.note} /> : <Bubbles group={row.group} work={work} />}
      </div>
    );
  });
}
