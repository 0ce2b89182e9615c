import css from "./parts.module.css";

/** How many colours there are for people. */
const HUES = 5;

/** A person's initials, always in the same colour: found faster than a name is read. */
export function Avatar({ name, size = 36 }: { name: string; size?: number }) {
  const words = name.split(/[\s@.]+/).filter((word) => /^\p{L}/u.test(word));
  const picked = [words[0], words.length > 1 ? words.at(-1) : undefined];
  const initials = picked.map((word) => word?.[0]?.toUpperCase() ?? "").join("");
  const sum = [...name].reduce((total, letter) => total + (letter.codePointAt(0) ?? 0), 0);
  return (
    <span
      className={css.avatar}
      data-hue={sum % HUES}
      style={{ width: size, height: size, fontSize: Math.round(size * 0.36) }}
      aria-hidden="true"
    >
      {initials || "#"}
    </span>
  );
}
