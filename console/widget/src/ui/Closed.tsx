// The end of a matter: what is asked of it, and how to begin another.

import { useRef, useState } from "preact/hooks";
import type { Question } from "../protocol.ts";
import { useShell, useWords } from "./context.ts";
import { Done, Star } from "./icons.tsx";

export function Closed() {
  const shell = useShell();
  const words = useWords();
  const { state, survey } = shell.chat;
  const [hadSurvey, setHad] = useState(false);
  if (survey && !hadSurvey) setHad(true);
  return (
    <section class="closed">
      {survey ? (
        <Survey key={survey.id} id={survey.id} questions={survey.questions} />
      ) : (
        <div class="ended" role="status">
          <Done />
          <h2>{words.ended}</h2>
          <p>{hadSurvey ? words.survey.thanks : words.endedThanks}</p>
          {state?.protocol && <p class="number">{words.protocol(state.protocol)}</p>}
        </div>
      )}
      {!survey && (
        <button type="button" class="wide" data-first onClick={() => shell.again()}>
          {words.startAgain}
        </button>
      )}
    </section>
  );
}

function Survey({ id, questions }: { id: string; questions: Question[] }) {
  const shell = useShell();
  const words = useWords();
  const form = useRef<HTMLFormElement>(null);
  const [lacking, setLacking] = useState<string[]>([]);
  const submit = (event: Event) => {
    event.preventDefault();
    if (!form.current) return;
    const given = new FormData(form.current);
    const answers = questions.flatMap(({ id: question }) => {
      const value = String(given.get(question) ?? "").trim();
      return value === "" ? [] : [{ question, value }];
    });
    const isAnswered = (question: Question) => answers.some((one) => one.question === question.id);
    const missing = questions.filter((one) => one.required && !isAnswered(one));
    setLacking(missing.map((one) => one.id));
    const first = missing[0];
    if (first) form.current.querySelector<HTMLElement>(`[name="${CSS.escape(first.id)}"]`)?.focus();
    else shell.ask({ type: "survey", survey: id, answers });
  };
  return (
    <form
      class="survey"
      noValidate
      ref={form}
      onSubmit={submit}
      onChange={({ target }) => {
        const { name } = target as HTMLInputElement;
        setLacking(lacking.filter((one) => one !== name));
      }}
    >
      <h2>{words.survey.title}</h2>
      {questions.map((question) => (
        <Asked key={question.id} question={question} isLacking={lacking.includes(question.id)} />
      ))}
      <div class="buttons">
        <button
          type="button"
          class="plain"
          onClick={() => shell.ask({ type: "survey", survey: id, answers: [] })}
        >
          {words.survey.skip}
        </button>
        <button type="submit" class="wide">
          {words.survey.send}
        </button>
      </div>
    </form>
  );
}

function Asked({ question, isLacking }: { question: Question; isLacking: boolean }) {
  const words = useWords();
  const { id, kind, text } = question;
  const wrong = isLacking ? `wrong-${id}` : undefined;
  const complaint = isLacking && (
    <p class="wrong" id={wrong}>
      {words.survey.required}
    </p>
  );
  if (kind === "text") {
    return (
      <div class="row">
        <label for={`answer-${id}`}>{text}</label>
        <textarea
          id={`answer-${id}`}
          name={id}
          rows={2}
          maxLength={2000}
          aria-describedby={wrong}
        />
        {complaint}
      </div>
    );
  }
  return (
    <fieldset class={`asked is-${kind}`} aria-describedby={wrong}>
      <legend>{text}</legend>
      {kind === "stars" && <Stars name={id} />}
      {kind === "nps" && <Scale name={id} />}
      {kind === "choice" && (
        <div class="options">
          {question.choices.map((choice) => (
            <label key={choice.id}>
              <input type="radio" name={id} value={choice.id} />
              <span>{choice.title}</span>
            </label>
          ))}
        </div>
      )}
      {complaint}
    </fieldset>
  );
}

function Stars({ name }: { name: string }) {
  const words = useWords();
  const [picked, pick] = useState(0);
  const [over, setOver] = useState(0);
  return (
    <div class="stars" onPointerLeave={() => setOver(0)}>
      {[1, 2, 3, 4, 5].map((count) => (
        <label key={count} title={words.survey.star(count)} onPointerEnter={() => setOver(count)}>
          <input
            type="radio"
            name={name}
            value={count}
            aria-label={words.survey.star(count)}
            data-first={count === 1 ? true : undefined}
            onChange={() => pick(count)}
          />
          <Star isFull={count <= (over || picked)} />
        </label>
      ))}
    </div>
  );
}

function Scale({ name }: { name: string }) {
  const words = useWords();
  return (
    <>
      <div class="scale">
        {Array.from({ length: 11 }, (_, value) => (
          <label key={value}>
            <input type="radio" name={name} value={value} />
            <span>{value}</span>
          </label>
        ))}
      </div>
      <p class="ends" aria-hidden="true">
        <span>{words.survey.least}</span>
        <span>{words.survey.most}</span>
      </p>
    </>
  );
}
