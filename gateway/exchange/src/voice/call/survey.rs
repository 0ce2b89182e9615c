//! The survey after a call: a flow of the service asks the customer, once the agent has left.

use desk::id::{ServiceId, UserId};
use desk::record::{Change, EndedBy, SurveyAnswer};
use ivr::Now;
use ivr::machine::{Did, Step};

use super::super::Shared;
use super::super::admission::Serving;
use super::super::ending::Ending;
use super::{Call, Handled};

/// About whom a customer is asked.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    service: ServiceId,
    agent: Option<UserId>,
}

impl Call {
    /// Asks the customer how it was; nothing where the service has no survey.
    pub(super) fn ask_customer(&mut self, now: Now, of: &Handled, shared: &mut Shared) -> bool {
        let company = self.facts.company.clone();
        let rules = of.service.as_ref().and_then(|id| company.services.get(id));
        let flow = rules.and_then(|rules| rules.calls.survey.as_ref());
        flow.is_some_and(|flow| self.ask_by(now, of, flow.as_str(), shared))
    }

    /// Asks the customer by this flow how it was. Returns whether there is such a flow.
    pub(super) fn ask_by(
        &mut self,
        now: Now,
        of: &Handled,
        flow: &str,
        shared: &mut Shared,
    ) -> bool {
        let Some(service) = of.service.clone() else {
            return false;
        };
        self.survey = Some(Survey {
            service,
            agent: of.agent.clone(),
        });
        // The agent ended the conversation, whatever the flow says at its end.
        self.ours
            .get_or_insert(Ending::by(EndedBy::Agent, "hung_up"));
        let begun = self.return_to_flow(now, flow, shared);
        if !begun {
            self.survey = None;
        }
        begun
    }

    /// A flow talks with the customer, whom everybody else has left. Returns whether there is one of
    /// this name.
    pub(super) fn return_to_flow(&mut self, now: Now, flow: &str, shared: &mut Shared) -> bool {
        let serves = Serving {
            library: self.facts.company.library.clone(),
            flow: ivr::FlowId::new(flow),
        };
        if !serves.library.flows.contains_key(&serves.flow) {
            return false;
        }
        self.drop_others(now, shared);
        self.talk.alone(self.facts.leg, shared);
        self.begin_flow(now, &serves, shared)
    }

    /// A key, or digits, that the customer answered the survey with.
    pub(super) fn note_answer(&mut self, now: Now, step: &Step, shared: &mut Shared) {
        let Some(survey) = &self.survey else {
            return;
        };
        let answer = if let Did::Pressed { key } = &step.did {
            key.face().to_string()
        } else if let Did::Collected { digits } = &step.did {
            digits.clone()
        } else {
            return;
        };
        let answer = SurveyAnswer {
            company: self.facts.company.id.clone(),
            interaction: self.facts.record.interaction().clone(),
            service: survey.service.clone(),
            agent: survey.agent.clone(),
            flow: step.flow.as_str().to_owned(),
            question: step.node.as_str().to_owned(),
            answer,
            at_ms: now.wall.as_millisecond(),
        };
        shared.save(Change::SurveyAnswered(Box::new(answer)));
    }
}
