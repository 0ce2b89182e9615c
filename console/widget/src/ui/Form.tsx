// What the company asks before the first message.

import { useRef, useState } from "preact/hooks";
import { type FormAnswers, present } from "../protocol.ts";
import { said } from "../words.ts";
import { TEXT_MAX } from "./Composer.tsx";
import { useShell, useWords } from "./context.ts";

type Field = "name" | "email" | "phone" | "service" | "message" | "consent";

export function Form() {
  const shell = useShell();
  const words = useWords();
  const { chat, config } = shell;
  const form = useRef<HTMLFormElement>(null);
  const [wrong, setWrong] = useState<string[]>(chat.draft?.fields ?? []);
  const services = config.form?.services ?? [];
  const consent = chat.hasConsent() ? null : (config.form?.consent ?? null);
  const fields = chat.formFields();

  const submit = (event: Event) => {
    event.preventDefault();
    if (!form.current) return;
    const given = new FormData(form.current);
    const value = (field: Field) => String(given.get(field) ?? "").trim() || undefined;
    const lacking: Field[] = [];
    for (const { field, must } of fields) {
      const text = value(field);
      if (text === undefined ? must : !LOOKS_RIGHT[field].test(text)) lacking.push(field);
    }
    if (services.length > 1 && !value("service")) lacking.push("service");
    const text = value("message");
    if (text === undefined || [...text].length > TEXT_MAX) lacking.push("message");
    if (consent && !value("consent")) lacking.push("consent");
    setWrong(lacking);
    if (lacking[0] !== undefined) {
      form.current.querySelector<HTMLElement>(`[name=${lacking[0]}]`)?.focus();
      return;
    }
    const agreed = consent && { version: consent.version, at_ms: chat.serverTime(Date.now()) };
    const answers: FormAnswers = present({
      name: value("name"),
      email: value("email"),
      phone: value("phone"),
      service: value("service") ?? services[0]?.id,
      consent: agreed ?? undefined,
    });
    shell.unsent = "";
    shell.say(text ?? "", answers);
  };

  const complaint = (field: Field) => (wrong.includes(field) ? words.wrong[field] : undefined);
  return (
    <form class="form" noValidate ref={form} onSubmit={submit}>
      <div class="fields">
        <p>
          {chat.state?.open === false
            ? (chat.state.away ?? words.form.introAway)
            : words.form.intro}
        </p>
        {fields.map(({ field, must }, at) => (
          <Row
            key={field}
            field={field}
            must={must}
            complaint={complaint(field)}
            isFirst={at === 0}
          />
        ))}
        {services.length > 1 && (
          <fieldset class="services" aria-describedby={complaint("service") && "wrong-service"}>
            <legend>{words.form.service}</legend>
            <div>
              {services.map(({ id, name }) => (
                <label key={id}>
                  <input type="radio" name="service" value={id} />
                  <span>{name}</span>
                </label>
              ))}
            </div>
            <Wrong field="service" text={complaint("service")} />
          </fieldset>
        )}
        <div class="row">
          <label for="message">{words.form.message}</label>
          <textarea
            id="message"
            name="message"
            rows={3}
            required
            data-first={fields.length === 0 ? true : undefined}
            defaultValue={chat.draft?.text ?? shell.unsent}
            aria-invalid={complaint("message") !== undefined}
            aria-describedby={complaint("message") && "wrong-message"}
            onInput={({ currentTarget }) => {
              shell.unsent = currentTarget.value;
            }}
          />
          <Wrong field="message" text={complaint("message")} />
        </div>
        {consent && (
          <div class="row consent">
            <label>
              <input
                type="checkbox"
                name="consent"
                required
                aria-invalid={complaint("consent") !== undefined}
                aria-describedby={complaint("consent") && "wrong-consent"}
              />
              <span>{said(consent.text, shell.language)}</span>
            </label>
            {consent.url && (
              <a href={consent.url} target="_blank" rel="noopener noreferrer">
                {words.form.consentMore}
              </a>
            )}
            <Wrong field="consent" text={complaint("consent")} />
          </div>
        )}
      </div>
      <div class="foot">
        <p class="problem" role="alert">
          {wrong.length > 0 && words.form.wrong}
        </p>
        <button type="submit" class="wide">
          {words.form.start}
        </button>
      </div>
    </form>
  );
}

function Row(props: {
  field: "name" | "email" | "phone";
  must: boolean;
  complaint: string | undefined;
  isFirst: boolean;
}) {
  const { field, must, complaint, isFirst } = props;
  const { chat } = useShell();
  const words = useWords();
  const { keyboard, autocomplete } = INPUTS[field];
  return (
    <div class="row">
      <label for={field}>
        {words.form[field]} {!must && <small>({words.form.optional})</small>}
      </label>
      <input
        id={field}
        name={field}
        inputMode={keyboard}
        autocomplete={autocomplete}
        required={must}
        maxLength={200}
        data-first={isFirst ? true : undefined}
        defaultValue={chat.known[field]}
        aria-invalid={complaint !== undefined}
        aria-describedby={complaint && `wrong-${field}`}
      />
      <Wrong field={field} text={complaint} />
    </div>
  );
}

function Wrong({ field, text }: { field: Field; text: string | undefined }) {
  return text ? (
    <p class="wrong" id={`wrong-${field}`}>
      {text}
    </p>
  ) : null;
}

const INPUTS = {
  name: { keyboard: "text", autocomplete: "name" },
  email: { keyboard: "email", autocomplete: "email" },
  phone: { keyboard: "tel", autocomplete: "tel" },
} as const;

/** What is surely mistyped; the server knows better. */
export const LOOKS_RIGHT = {
  name: /\S/,
  email: /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/,
  phone: /^\+?(?:[\s().-]*\d){8,15}[\s().-]*$/,
};
