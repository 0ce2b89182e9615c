//! What visitors think, once an agent has closed their matter.

use channels::webchat::client::Answers;
use channels::webchat::server::ServerFrame;
use channels::webchat::survey::Survey;
use channels::webchat::{ErrorCode, FrameError};
use desk::kept::{Kept, LateLine};
use desk::record::{Change, SurveyAnswer, TrailKind};
use serde_json::json;
use store::webchat::{self, Matter, Thread};
use store::{changes, desks};

use super::chat::unavailable;
use super::visit::Visit;

/// What is asked of a matter that is over: of one that an agent had, and only once.
pub(super) fn asked(visit: &Visit, thread: &Thread, matter: &Matter) -> Option<Survey> {
    let survey = visit.chat.settings.life.survey.as_ref()?;
    let was_asked = thread.surveyed.as_ref() == Some(&matter.interaction);
    (matter.agent.is_some() && !was_asked).then(|| survey.clone())
}

impl Visit {
    /// The visitor says what they think, or that they would rather not.
    pub(super) async fn answers(
        &mut self,
        answers: Answers,
    ) -> Result<Vec<ServerFrame>, FrameError> {
        let (pool, channel) = (self.app.store.pool(), &self.chat.row.id);
        let thread = webchat::thread(pool, channel, self.who.visitor.as_str()).await;
        let thread = thread.map_err(|error| unavailable(&error))?;
        let matter = thread.as_ref().and_then(|thread| thread.matter.as_ref());
        let found = thread.as_ref().zip(matter);
        let asked = found.and_then(|(thread, matter)| {
            let survey = asked(self, thread, matter)?;
            (survey.id == answers.survey).then_some((thread, matter, survey))
        });
        if let Some((thread, matter, survey)) = asked {
            survey
                .check(&answers.answers)
                .map_err(|fields| FrameError::new(ErrorCode::Invalid).fields(fields))?;
            let kept = self.keep(thread, matter, &answers).await;
            kept.map_err(|error| unavailable(&error))?;
            self.room.ring();
        }
        // What was answered before is acknowledged again.
        Ok(vec![ServerFrame::Ack {
            client_message_id: answers.client_message_id,
            seq: None,
            at_ms: self.app.now_ms(),
        }])
    }

    async fn keep(
        &self,
        thread: &Thread,
        matter: &Matter,
        answers: &Answers,
    ) -> Result<(), store::Error> {
        let at_ms = self.app.now_ms();
        let mut db = self.app.store.begin().await?;
        let (talk, interaction) = (&thread.conversation, &matter.interaction);
        if !webchat::mark_surveyed(&mut *db, talk, interaction).await? {
            return Ok(()); // From another page, in the same moment.
        }
        let service = matter.service.as_ref().map(|(id, _)| id.clone());
        let answered = answers.answers.iter().map(|answer| {
            Change::SurveyAnswered(Box::new(SurveyAnswer {
                company: self.chat.row.company.clone(),
                interaction: interaction.clone(),
                service: service
                    .clone()
                    .unwrap_or_else(|| self.chat.row.service.clone()),
                agent: matter.agent.clone(),
                flow: format!("survey:{}", answers.survey),
                question: answer.question.clone(),
                answer: answer.value.clone(),
                at_ms,
            }))
        });
        let answered: Vec<Change> = answered.collect();
        changes::apply(&mut db, &answered).await?;
        let line = LateLine {
            interaction: interaction.clone(),
            at_ms,
            kind: TrailKind::SurveyAnswered,
            detail: json!({ "survey": answers.survey, "answers": answers.answers }),
        };
        desks::apply(&mut db, [&Kept::Line(line)]).await?;
        db.commit().await
    }
}
