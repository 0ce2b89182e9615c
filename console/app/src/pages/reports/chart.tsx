import { useElementSize } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import css from "./chart.module.css";
import { MEASURES, type Row, ticks } from "./figures";
import { type Format, useFormat } from "./format";

type Props = { by: string; rows: readonly Row[]; before: readonly Row[] | undefined };

/** The room of the drawing, in pixels. */
const ROOM = { height: 250, left: 44, bottom: 26, top: 10 };

/** The room that a name below it takes. */
const LABEL = 74;

/** Hours or days one beside the other: what was answered, what was not, and how much came in the time before. */
export function Columns({ by, rows, before }: Props) {
  const { t: say } = useTranslation("supervision");
  const format = useFormat();
  const most = Math.max(
    ...rows.map(({ arrived }) => arrived),
    ...(before ?? []).map(({ arrived }) => arrived),
    1,
  );
  const { ref, width: found } = useElementSize();
  const width = Math.max(found, 300);
  const lines = ticks(most);
  const top = lines.at(-1) ?? 1;
  const inner = ROOM.height - ROOM.bottom - ROOM.top;
  const y = (value: number) => ROOM.top + inner - (inner * value) / top;
  const step = (width - ROOM.left) / rows.length;
  const wide = Math.min(step * 0.62, 44);
  const every = Math.ceil((rows.length * LABEL) / width);
  return (
    <figure className={css.figure} ref={ref}>
      <svg viewBox={`0 0 ${width} ${ROOM.height}`} role="img" aria-label={say("reports.chart")}>
        {lines.map((value) => (
          <g key={value} className={css.scale}>
            <line x1={ROOM.left} x2={width} y1={y(value)} y2={y(value)} />
            <text x={ROOM.left - 8} y={y(value) + 4} textAnchor="end">
              {format.figure("arrived", value)}
            </text>
          </g>
        ))}
        {rows.map((row, index) => {
          const x = ROOM.left + step * (index + 0.5) - wide / 2;
          const was = before?.[index]?.arrived ?? 0;
          return (
            <g key={row.key}>
              <title>{told(format, by, row)}</title>
              <rect
                className={css.hit}
                x={x - (step - wide) / 2}
                y={ROOM.top}
                width={step}
                height={inner}
              />
              <Piece is="answered" x={x} wide={wide} from={y(0)} to={y(row.answered)} />
              <Piece
                is="abandoned"
                x={x}
                wide={wide}
                from={y(row.answered)}
                to={y(row.answered + row.abandoned)}
              />
              <Piece
                is="other"
                x={x}
                wide={wide}
                from={y(row.answered + row.abandoned)}
                to={y(row.arrived)}
              />
              {was > 0 && (
                <line className={css.before} x1={x - 3} x2={x + wide + 3} y1={y(was)} y2={y(was)} />
              )}
              {index % every === 0 && (
                <text
                  className={css.label}
                  x={x + wide / 2}
                  y={ROOM.height - 6}
                  textAnchor="middle"
                >
                  {format.name(by, row)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <Legend hasBefore={before !== undefined} />
    </figure>
  );
}

/** As many rows as are drawn; the table has all of them. */
const BARS_MAX = 14;

/** Services, agents, channels one below the other. */
export function Bars({ by, rows, before }: Props) {
  const format = useFormat();
  const measure = by === "agents" ? "answered" : "arrived";
  const shown = [...rows]
    .sort((a, b) => MEASURES[measure].is(b) - MEASURES[measure].is(a))
    .slice(0, BARS_MAX);
  const was = new Map(before?.map((row) => [row.key, MEASURES[measure].is(row)]));
  const most = Math.max(
    ...shown.map(MEASURES[measure].is),
    ...shown.map(({ key }) => was.get(key) ?? 0),
    1,
  );
  const x = (value: number) => (100 * value) / most;
  return (
    <figure className={css.figure}>
      <ul className={css.bars}>
        {shown.map((row) => (
          <li key={row.key} title={told(format, by, row)}>
            <span>{format.name(by, row)}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect className={css.answered} width={x(row.answered)} height="10" />
              {measure === "arrived" && (
                <>
                  <rect
                    className={css.abandoned}
                    x={x(row.answered)}
                    width={x(row.abandoned)}
                    height="10"
                  />
                  <rect
                    className={css.other}
                    x={x(row.answered + row.abandoned)}
                    width={x(Math.max(0, row.arrived - row.answered - row.abandoned))}
                    height="10"
                  />
                </>
              )}
              {(was.get(row.key) ?? 0) > 0 && (
                <line
                  className={css.before}
                  x1={x(was.get(row.key) ?? 0)}
                  x2={x(was.get(row.key) ?? 0)}
                  y1="-2"
                  y2="12"
                />
              )}
            </svg>
            <strong>{format.figure(measure, MEASURES[measure].is(row))}</strong>
          </li>
        ))}
      </ul>
      <Legend hasBefore={before !== undefined} isAnswered={measure === "answered"} />
    </figure>
  );
}

type PieceProps = {
  is: "answered" | "abandoned" | "other";
  x: number;
  wide: number;
  from: number;
  to: number;
};

function Piece({ is, x, wide, from, to }: PieceProps) {
  const height = Math.max(0, from - to);
  return height === 0 ? null : (
    <rect className={css[is]} x={x} y={to} width={wide} height={height} />
  );
}

function told(format: Format, by: string, row: Row): string {
  return `${format.name(by, row)}: ${format.figure("arrived", row.arrived)}`;
}

function Legend({ hasBefore, isAnswered = false }: { hasBefore: boolean; isAnswered?: boolean }) {
  const { t: say } = useTranslation("supervision");
  const parts = isAnswered
    ? (["answered"] as const)
    : (["answered", "abandoned", "other"] as const);
  return (
    <figcaption className={css.legend}>
      {parts.map((one) => (
        <span key={one} data-is={one}>
          {say(`reports.legend.${one}`)}
        </span>
      ))}
      {hasBefore && <span data-is="before">{say("reports.legend.before")}</span>}
    </figcaption>
  );
}
