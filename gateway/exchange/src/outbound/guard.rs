//! Who may call whom, how often and for how much: what keeps a stolen password from becoming a bill.
//!
//! Without any setting a company calls the telephones of its own country, and nobody abroad.
//! Emergencies are never refused, by no rule.

use desk::words;
use jiff::civil::Time;

use super::prefix::Prefix;
use super::usage::Spent;
use desk::numbering::{Callee, Kind};

/// What a company permits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Numbers that may be called beside the telephones of the company's own country.
    pub allowed: Vec<Prefix>,
    /// Numbers that may not be called, but for longer prefixes that are allowed.
    pub refused: Vec<Prefix>,
    /// Hours in which less is allowed.
    pub night: Option<Night>,
    /// What each agent may do.
    pub agent: Limits,
    /// What the company may do altogether.
    pub company: Limits,
}

/// Hours in which less is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Night {
    /// When they begin, in the company's time zone.
    pub from: Time,
    /// When they end: on the next day where that is earlier.
    pub until: Time,
    /// The numbers that may be called in them, of those that may be called at all.
    pub allowed: Vec<Prefix>,
}

/// How much is allowed; nothing set is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls that are up at once.
    pub calls_at_once: Option<u32>,
    /// Calls that began within the last hour.
    pub calls_per_hour: Option<u32>,
    /// Calls that began today.
    pub calls_per_day: Option<u32>,
    /// What the calls of today cost, in thousandths of the currency.
    pub cost_per_day: Option<u64>,
}

words! {
    /// The rule that refuses a call.
    Rule {
        /// Its number is not among those that may be called.
        Destination = "destination",
        /// Its number may not be called at this hour.
        Night = "night",
        /// The agent has as many calls up as they may.
        AgentCallsAtOnce = "agent_calls_at_once",
        /// The agent began as many calls within the hour as they may.
        AgentCallsPerHour = "agent_calls_per_hour",
        /// The agent began as many calls today as they may.
        AgentCallsPerDay = "agent_calls_per_day",
        /// The agent's calls of today cost what they may.
        AgentCostPerDay = "agent_cost_per_day",
        /// The company has as many calls up as it may.
        CompanyCallsAtOnce = "company_calls_at_once",
        /// The company began as many calls within the hour as it may.
        CompanyCallsPerHour = "company_calls_per_hour",
        /// The company began as many calls today as it may.
        CompanyCallsPerDay = "company_calls_per_day",
        /// The company's calls of today cost what they may.
        CompanyCostPerDay = "company_cost_per_day",
    }
}

/// Whose limits they are.
#[derive(Clone, Copy)]
enum Whose {
    Agent,
    Company,
}

impl Permissions {
    /// Whether `callee` may be called at this hour from a company in `country`, by an agent and a
    /// company that did as much already.
    ///
    /// # Errors
    ///
    /// The first rule that refuses it.
    pub(super) fn check(
        &self,
        callee: &Callee,
        country: &str,
        hour: Time,
        agent: Option<&Spent>,
        company: &Spent,
    ) -> Result<(), Rule> {
        if callee.kind == Kind::Emergency {
            return Ok(());
        }
        if !self.allows(callee, country) {
            return Err(Rule::Destination);
        }
        if self
            .night
            .as_ref()
            .is_some_and(|night| night.refuses(callee, hour))
        {
            return Err(Rule::Night);
        }
        if let Some(spent) = agent {
            self.agent.check(spent, callee, Whose::Agent)?;
        }
        self.company.check(company, callee, Whose::Company)
    }

    /// The longest prefix decides; of equals, what refuses stands before what allows, and what the
    /// company set before what is built in.
    fn allows(&self, callee: &Callee, country: &str) -> bool {
        let number = callee.number.as_str();
        let decided = [
            longest(&self.refused, number, Verdict::Refused),
            longest(&self.allowed, number, Verdict::Allowed),
        ];
        let decided = decided.into_iter().flatten().reduce(|best, next| {
            if next.1.cmp_precision(best.1).is_gt() {
                next
            } else {
                best
            }
        });
        let dear = is_dear(callee, country);
        match decided {
            Some((Verdict::Refused, _)) => false,
            // Whoever allows a whole country does not mean its expensive numbers.
            Some((Verdict::Allowed, prefix)) => {
                dear.is_none_or(|beginning| prefix.as_str().len() >= beginning)
            }
            None => callee.kind != Kind::Abroad && dear.is_none(),
        }
    }
}

#[derive(Clone, Copy)]
enum Verdict {
    Refused,
    Allowed,
}

fn longest<'p>(
    prefixes: &'p [Prefix],
    number: &str,
    verdict: Verdict,
) -> Option<(Verdict, &'p Prefix)> {
    let fitting = prefixes.iter().filter(|prefix| prefix.fits(number));
    let longest = fitting.max_by(|one, other| one.cmp_precision(other))?;
    Some((verdict, longest))
}

/// Whether a number costs much more than its country code tells, and how long the beginning is that
/// tells it: who allows that has seen what it is.
fn is_dear(callee: &Callee, country: &str) -> Option<usize> {
    let number = callee.number.as_str();
    if callee.kind == Kind::Premium {
        return Some("+55900".len());
    }
    let area = number.strip_prefix("+1").and_then(|rest| rest.get(..3))?;
    // Islands share the country code of the United States and Canada, and fraud loves them.
    let is_elsewhere = area == "900" || (ISLANDS.contains(&area) && country != "1");
    is_elsewhere.then_some("+1876".len())
}

impl Night {
    fn refuses(&self, callee: &Callee, hour: Time) -> bool {
        let is_night = if self.from <= self.until {
            self.from <= hour && hour < self.until
        } else {
            self.from <= hour || hour < self.until
        };
        let mut allowed = self.allowed.iter();
        is_night && !allowed.any(|prefix| prefix.fits(&callee.number))
    }
}

impl Limits {
    fn check(&self, spent: &Spent, callee: &Callee, whose: Whose) -> Result<(), Rule> {
        use Rule::*;
        let is_reached = |max: Option<u32>, count| max.is_some_and(|max| count >= max);
        let of = |agent, company| match whose {
            Whose::Agent => Err(agent),
            Whose::Company => Err(company),
        };
        if is_reached(self.calls_at_once, spent.calls_up) {
            return of(AgentCallsAtOnce, CompanyCallsAtOnce);
        }
        if is_reached(self.calls_per_hour, spent.calls_hour) {
            return of(AgentCallsPerHour, CompanyCallsPerHour);
        }
        if is_reached(self.calls_per_day, spent.calls_day) {
            return of(AgentCallsPerDay, CompanyCallsPerDay);
        }
        // What costs nothing is not refused for what others cost.
        let is_free = callee.kind == Kind::Free;
        if !is_free && self.cost_per_day.is_some_and(|max| spent.cost_day >= max) {
            return of(AgentCostPerDay, CompanyCostPerDay);
        }
        Ok(())
    }
}

/// Areas of the North American plan outside the United States' states and Canada (NANPA).
#[rustfmt::skip]
const ISLANDS: &[&str] = &[
    "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670",
    "671", "684", "721", "758", "767", "784", "787", "809", "829", "849", "868", "869", "876",
    "939",
];
