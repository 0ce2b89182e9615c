import type { ReactNode } from "react";
import css from "./parts.module.css";

type Props = { icon?: ReactNode; title: string; text?: ReactNode; children?: ReactNode };

/** Where there is nothing yet: why, and what to do next. */
export function Empty({ icon, title, text, children }: Props) {
  return (
    <div className={css.empty}>
      {icon}
      <h2>{title}</h2>
      {text !== undefined && <p>{text}</p>}
      {children}
    </div>
  );
}
