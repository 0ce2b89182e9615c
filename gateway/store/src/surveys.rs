//! SQL of what customers answered after calls. Answers are added by [`crate::changes`].

use desk::id::{CompanyId, InteractionId, UserId};
use desk::record::SurveyAnswer;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::notices::{self, Happened, Seen};
use crate::row::Columns;

/// Keeps an answer, and tells webhooks of it; a question that is answered again has the last one.
pub(crate) async fn keep(db: &mut AnyConnection, answer: &SurveyAnswer) -> Result<(), Error> {
    let done = sqlx::query(
        "INSERT INTO survey_answers (interaction, question, company, service, agent, flow, answer,
                                     at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (interaction, question)
         DO UPDATE SET answer = excluded.answer, at_ms = excluded.at_ms
             WHERE survey_answers.at_ms <> excluded.at_ms",
    )
    .bind(answer.interaction.as_str())
    .bind(answer.question.as_str())
    .bind(answer.company.as_str())
    .bind(answer.service.as_str())
    .bind(answer.agent.as_ref().map(UserId::as_str))
    .bind(answer.flow.as_str())
    .bind(answer.answer.as_str())
    .bind(answer.at_ms)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(()); // Written before.
    }
    let happened = Happened {
        interaction: &answer.interaction,
        at_ms: answer.at_ms,
        event: "survey.answered",
        detail: &json!({
            "flow": answer.flow, "question": answer.question, "answer": answer.answer,
            "agent": answer.agent,
        }),
    };
    notices::tell(db, happened, Seen::Here).await
}

/// What was answered between two moments (milliseconds since 1970, the first included), or in one
/// interaction; the oldest first, at most `limit`.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    (from_ms, until_ms): (i64, i64),
    interaction: Option<&InteractionId>,
    limit: i64,
) -> Result<Vec<SurveyAnswer>, Error> {
    let found = sqlx::query(
        "SELECT * FROM survey_answers
          WHERE company = $1 AND at_ms >= $2 AND at_ms < $3
            AND interaction = COALESCE($4, interaction)
          ORDER BY at_ms, interaction, question LIMIT $5",
    )
    .bind(company.as_str())
    .bind(from_ms)
    .bind(until_ms)
    .bind(interaction.map(InteractionId::as_str))
    .bind(limit)
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

fn read(row: AnyRow) -> Result<SurveyAnswer, sqlx::Error> {
    Ok(SurveyAnswer {
        company: row.parsed("company")?,
        interaction: row.parsed("interaction")?,
        service: row.parsed("service")?,
        agent: row.parsed_maybe("agent")?,
        flow: row.text("flow")?,
        question: row.text("question")?,
        answer: row.text("answer")?,
        at_ms: row.whole("at_ms")?,
    })
}
