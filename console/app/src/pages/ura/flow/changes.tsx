import { useTranslation } from "react-i18next";
import type { Document } from "../document";
import { type Changed, compare, type Difference } from "./compare";
import { type Names, useNames } from "./names";
import css from "./versions.module.css";

/** What came, went and changed from one document to another, in words. */
export function Changes({ was, is }: { was: Document; is: Document }) {
  const { t } = useTranslation("ura");
  const before = useNames(was);
  const after = useNames(is);
  const all = compare(was, is);
  if (all.length === 0) return <p className={css.same}>{t("versions.same")}</p>;
  return (
    <ul className={css.all}>
      {all.map((one) => (
        <One
          key={one.what === "flow" ? "" : one.node}
          one={one}
          names={one.what === "removed" ? before : after}
          document={one.what === "removed" ? was : is}
        />
      ))}
    </ul>
  );
}

type OneProps = { one: Difference; names: Names; document: Document };

function One({ one, names, document }: OneProps) {
  const { t } = useTranslation("ura");
  const node = one.what === "flow" ? undefined : document.nodes[one.node];
  return (
    <li className={css.one} data-is={one.what}>
      <span className={css.what}>{t(`versions.what.${one.what}`)}</span>
      <div>
        <strong>{one.what === "flow" ? t("editor.flow") : names.title(one.node)}</strong>
        {node !== undefined && one.what !== "changed" && <p>{names.does(node)}</p>}
        {"fields" in one && (
          <dl>
            {one.fields.map((field) => (
              <Field key={field.field} field={field} names={names} document={document} />
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

type FieldProps = { field: Changed; names: Names; document: Document };

function Field({ field, names, document }: FieldProps) {
  const { t, i18n } = useTranslation("ura");
  const { field: name, was, is } = field;
  // A way out is called as it is drawn, all else as in the panel.
  const label = ["field", "exit", "editor", "form"]
    .map((area) => `ura:${area}.${name}`)
    .find((key) => i18n.exists(key));
  const told = (value: unknown): string => {
    if (value == null || value === "") return "–";
    if (typeof value === "boolean") return t(value ? "versions.yes" : "versions.no");
    if (typeof value === "string") return document.nodes[value] ? names.told(value) : value;
    if (typeof value === "number") {
      return name.endsWith("_ms") ? `${value / 1_000} s` : String(value);
    }
    return inWords(value, told);
  };
  return (
    <div>
      <dt>{label === undefined ? name : t(label as "field.say")}</dt>
      <dd>
        <del>{told(was)}</del>
        <ins>{told(is)}</ins>
      </dd>
    </div>
  );
}

/** What lists and parts hold, without the signs of JSON. */
function inWords(value: unknown, told: (part: unknown) => string): string {
  if (Array.isArray(value)) return value.map((one) => told(one)).join(" · ");
  return Object.entries(value as object)
    .filter(([name]) => name !== "kind")
    .map(([, part]) => told(part))
    .join(" → ");
}
