import { pieces } from "./links";
import css from "./talk.module.css";

/** What was written, as it was written; what leads somewhere can be followed. */
export function Words({ text, label }: { text: string; label?: string }) {
  return (
    <p className={css.words}>
      {label !== undefined && <span className={css.label}>{label}</span>}
      {pieces(text).map((piece, place) => {
        const key = `${place}${piece.text}`;
        if (piece.href === undefined) return <span key={key}>{piece.text}</span>;
        return (
          <a key={key} href={piece.href} target="_blank" rel="noreferrer">
            {piece.text}
          </a>
        );
      })}
    </p>
  );
}
