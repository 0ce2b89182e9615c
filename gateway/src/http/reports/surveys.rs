//! What customers thought: each question with how often each answer was given.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use channels::webchat::survey::QuestionKind;
use serde::Serialize;
use store::reports::Answers;

use super::super::App;
use super::super::body::Asked;
use super::super::problem::{Problem, ProblemBody};
use super::super::who::{Reads, Tenant};
use super::figures::share;
use super::{Wanted, table, tongue, window};
use crate::channels::settings;

/// What customers thought.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct SurveyReport {
    /// What was answered from this moment on is counted, milliseconds since 1970 (UTC).
    from_ms: i64,
    /// And before this one.
    until_ms: i64,
    pub(super) items: Vec<SurveyRow>,
}

/// A question and its answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct SurveyRow {
    /// The survey of a channel by its id, or the flow of calls by its.
    pub(super) survey: String,
    /// What people call the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The id of the question, or the node of the flow.
    pub(super) question: String,
    /// What is asked, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// `stars`, `nps`, `choice` or `text`. The answers of flows are `stars`, unless the question's name has
    /// `nps` in it.
    #[schema(value_type = String)]
    pub(super) kind: QuestionKind,
    pub(super) answers: i64,
    /// Of stars and of a number.
    pub(super) average: Option<f64>,
    /// The share of those who gave 4 or 5 of 5 stars, 0 to 1.
    pub(super) csat: Option<f64>,
    /// The net promoter score, -100 to 100: those who said 9 or 10 less those who said 6 or less.
    pub(super) nps: Option<f64>,
    /// How often each answer was given, the most frequent first.
    pub(super) counts: Vec<Given>,
}

/// How often an answer was given.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Given {
    /// Empty for all that are longer than 64 characters.
    pub(super) answer: String,
    pub(super) count: i64,
}

/// What customers thought
#[utoipa::path(get, path = "/api/v1/reports/surveys", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = SurveyReport), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::http) async fn surveys(
    State(app): State<App>,
    Reads(tenant): Reads,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<SurveyReport>, Problem> {
    Ok(Json(report(&app, &tenant, &wanted).await?))
}

/// What customers thought as a table
#[utoipa::path(get, path = "/api/v1/reports/surveys.csv", tag = "records",
    params(Wanted, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::http) async fn surveys_table(
    State(app): State<App>,
    Reads(tenant): Reads,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let report = report(&app, &tenant, &wanted).await?;
    Ok(table::answer(
        "surveys",
        table::surveys(&report, tongue(&headers)),
    ))
}

async fn report(app: &App, tenant: &Tenant, wanted: &Wanted) -> Result<SurveyReport, Problem> {
    let (from_ms, until_ms) = window(app, tenant, wanted).await?.ends_ms();
    let (db, filter) = (app.store.pool(), wanted.filter(tenant)?);
    let found = store::reports::answers(db, &tenant.company, (from_ms, until_ms), &filter).await?;
    let known = known(app, tenant).await?;
    let flows = super::super::flows::names_of(app, tenant).await?;
    let mut questions = BTreeMap::<(String, String), Vec<Answers>>::new();
    for answers in found {
        let key = (answers.survey.clone(), answers.question.clone());
        questions.entry(key).or_default().push(answers);
    }
    let rows = questions.into_iter().map(|((survey, question), given)| {
        let asked = known.get(&(survey.clone(), question.clone())).cloned();
        let (kind, text) = match asked {
            Some((kind, text)) => (kind, Some(text)),
            None if question.to_lowercase().contains("nps") => (QuestionKind::Nps, None),
            None => (QuestionKind::Stars, None),
        };
        let name = flows.get(&survey).cloned();
        row(
            kind,
            given,
            SurveyRow {
                survey,
                name,
                question,
                text,
                kind,
                answers: 0,
                average: None,
                csat: None,
                nps: None,
                counts: vec![],
            },
        )
    });
    Ok(SurveyReport {
        from_ms,
        until_ms,
        items: rows.collect(),
    })
}

/// A row with what follows from its answers.
fn row(kind: QuestionKind, given: Vec<Answers>, row: SurveyRow) -> SurveyRow {
    let most = match kind {
        QuestionKind::Stars => 5,
        QuestionKind::Nps => 10,
        QuestionKind::Choice | QuestionKind::Text => -1,
    };
    let marks: Vec<(i64, i64)> = given
        .iter()
        .filter_map(|one| Some((one.answer.parse::<i64>().ok()?, one.count)))
        .filter(|(mark, _)| (0..=most).contains(mark))
        .collect();
    let of = |wanted: std::ops::RangeInclusive<i64>| -> i64 {
        let fit = marks.iter().filter(|(mark, _)| wanted.contains(mark));
        fit.map(|(_, count)| count).sum()
    };
    let (count, sum) = (
        of(0..=most),
        marks.iter().map(|(mark, count)| mark * count).sum(),
    );
    SurveyRow {
        answers: given.iter().map(|one| one.count).sum(),
        average: share(sum, count),
        csat: share(of(4..=5), count).filter(|_| kind == QuestionKind::Stars),
        nps: share((of(9..=10) - of(0..=6)) * 100, count).filter(|_| kind == QuestionKind::Nps),
        counts: given
            .into_iter()
            .map(|one| Given {
                answer: one.answer,
                count: one.count,
            })
            .collect(),
        ..row
    }
}

type Questions = BTreeMap<(String, String), (QuestionKind, String)>;

/// The questions that the channels of a company ask.
async fn known(app: &App, tenant: &Tenant) -> Result<Questions, Problem> {
    let channels = store::channels::all(app.store.pool()).await?.into_iter();
    let mut known = BTreeMap::new();
    for channel in channels.filter(|row| row.company == tenant.company) {
        let Some(survey) = settings::life(&channel).survey else {
            continue;
        };
        for question in survey.questions {
            known.insert(
                (survey.id.clone(), question.id),
                (question.kind, question.text),
            );
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: QuestionKind, given: &[(&str, i64)]) -> SurveyRow {
        let given = given.iter().map(|(answer, count)| Answers {
            survey: "s".into(),
            question: "q".into(),
            answer: (*answer).to_owned(),
            count: *count,
        });
        row(
            kind,
            given.collect(),
            SurveyRow {
                survey: "s".into(),
                name: None,
                question: "q".into(),
                text: None,
                kind,
                answers: 0,
                average: None,
                csat: None,
                nps: None,
                counts: vec![],
            },
        )
    }

    #[test]
    fn stars_and_recommendations_are_counted_each_in_its_way() {
        let stars = of(
            QuestionKind::Stars,
            &[("5", 6), ("4", 1), ("1", 3), ("99", 1), ("bom", 1)],
        );
        assert_eq!(
            (stars.answers, stars.average, stars.csat, stars.nps),
            (12, Some(3.7), Some(0.7), None)
        );
        let nps = of(
            QuestionKind::Nps,
            &[("10", 5), ("9", 1), ("8", 2), ("6", 1), ("0", 1)],
        );
        assert_eq!(
            (nps.average, nps.csat, nps.nps),
            (Some(8.1), None, Some(40.0))
        );
        let words = of(QuestionKind::Text, &[("5", 1), ("", 3)]);
        assert_eq!(
            (words.answers, words.average, words.csat, words.nps),
            (4, None, None, None)
        );
    }
}
