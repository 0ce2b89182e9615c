//! Calls that leave by a carrier: what is dialled, who may dial it, and by which ways it goes.
//!
//! ```text
//!  dialled ─ numbering ─▶ Callee ─ guard ─▶ may they? ─ route ─▶ Ways ─▶ try one after the other
//!                                    ▲                   ▲                 │
//!                                    └──── Usage ◀───────┴─ begin, answered, end
//! ```
//!
//! [`plan`] is pure: what was used so far is told by [`Usage`], which the owner of the calls keeps.
//! A company that has set no routes calls by its first carrier with a number, as ever.

pub mod guard;
pub mod prefix;
pub mod route;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::BTreeMap;

use desk::id::{CompanyId, NumberId, OutboundRouteId, ServiceId, TrunkId, UserId};
use desk::numbering::{self, Callee, Format, Kind, NotANumber, Place};
use ivr::Now;
use rand::RngCore;

use crate::directory::Company;

use guard::{Permissions, Rule};
use route::{Found, Route};
pub use usage::{LOST_MAX_MS, Spent, Usage};

/// What a company has set about its outbound calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The area in which its people dial (`11`).
    pub area_code: Option<String>,
    /// What callees see, where nothing else is set.
    pub caller_number: Option<String>,
    /// What they see of each service's calls.
    pub of_services: BTreeMap<ServiceId, String>,
    /// What they see of calls that leave for somebody who came in by a number of ours.
    pub of_numbers: BTreeMap<NumberId, String>,
    /// The ways out.
    pub routes: Vec<Route>,
    /// How each carrier wants numbers, and what it lets us show.
    pub trunks: BTreeMap<TrunkId, TrunkRules>,
    /// Who may call whom, and how much.
    pub permissions: Permissions,
}

/// What is to be known of a carrier before it is dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkRules {
    /// How it wants numbers.
    pub format: Format,
    /// What callees see, where neither service, number nor route say it.
    pub caller_number: Option<String>,
}

/// A wish to call somebody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// What was dialled, in any of the ways in which people write numbers.
    pub dialled: &'a str,
    /// The agent who dials; a flow where there is none.
    pub by: Option<&'a UserId>,
    /// The service for which they call.
    pub service: Option<&'a ServiceId>,
    /// Our number by which the one came in who is put through.
    pub number: Option<&'a NumberId>,
}

/// How a call is to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whose call it is.
    pub company: CompanyId,
    /// The agent who dials.
    pub by: Option<UserId>,
    /// The service for which they call.
    pub service: Option<ServiceId>,
    /// Who is called.
    pub callee: Callee,
    /// The ways to try one after the other, while [`route::may_fail_over`]; never none.
    pub ways: Vec<Way>,
}

/// One way of reaching a callee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The route that leads here; none where the company has set none.
    pub route: Option<OutboundRouteId>,
    /// The carrier.
    pub trunk: TrunkId,
    /// What is dialled there.
    pub number: String,
    /// What the callee sees; empty where nothing is set.
    pub caller_number: String,
    /// What a minute costs, in thousandths of the currency.
    pub cost_per_minute: u32,
}

/// Why a call is not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What was dialled is nobody's number.
    #[error("this cannot be dialled: {0}")]
    NotANumber(#[from] NotANumber),
    /// It is an extension or a number of the company itself: no carrier is needed.
    #[error("this is one of the company's own")]
    Inside,
    /// A rule of the company is against it.
    #[error("refused by the rule `{0}`")]
    Forbidden(Rule),
    /// No route leads there.
    #[error("no route leads there")]
    NoWay,
    /// Every route that leads there has all the calls it may have.
    #[error("every route that leads there is full")]
    AllFull,
}

impl Refusal {
    /// The refusal in one word, for the trail and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotANumber(NotANumber::Collect) => "collect_call",
            Self::NotANumber(_) => "not_a_number",
            Self::Inside => "inside",
            Self::Forbidden(rule) => rule.as_str(),
            Self::NoWay => "no_route",
            Self::AllFull => "routes_full",
        }
    }

    /// The answer to a device that dials.
    pub fn sip_status(&self) -> u16 {
        match self {
            // RFC 3261 sections 21.4.22, 21.4.4, 21.4.5 and 21.5.4.
            Self::NotANumber(NotANumber::Collect) | Self::Forbidden(_) => 403,
            Self::NotANumber(_) => 484,
            Self::Inside | Self::NoWay => 404,
            Self::AllFull => 503,
        }
    }
}

/// How a call is to be placed, or why it is not.
///
/// Emergencies are planned whatever the rules, by full routes too.
///
/// # Errors
///
/// [`Refusal`]; [`Usage::alarm`] says whether somebody must hear of it.
pub fn plan(
    company: &Company,
    wish: &Wish<'_>,
    usage: &Usage,
    now: Now,
    random: &mut impl RngCore,
) -> Result<Plan, Refusal> {
    let rules = &company.outbound_rules;
    let callee = callee(company, wish.dialled)?;
    let hour = company.zone.to_datetime(now.wall).time();
    let agent = wish.by.map(|agent| usage.of_agent(now, company, agent));
    let spent = usage.of_company(now, company);
    rules
        .permissions
        .check(&callee, &company.country_code, hour, agent.as_ref(), &spent)
        .map_err(Refusal::Forbidden)?;
    let ways = ways(company, wish, &callee, usage, now, random)?;
    Ok(Plan {
        company: company.id.clone(),
        by: wish.by.cloned(),
        service: wish.service.cloned(),
        callee,
        ways,
    })
}

fn callee(company: &Company, dialled: &str) -> Result<Callee, Refusal> {
    let place = Place {
        country: &company.country_code,
        area: company.outbound_rules.area_code.as_deref(),
    };
    let callee = numbering::read(dialled, place);
    if let Ok(callee) = &callee
        && callee.kind == Kind::Emergency
    {
        return Ok(callee.clone()); // Nobody's extension stands before the police.
    }
    let is_inside =
        |text: &str| company.extensions.contains_key(text) || company.numbers.contains_key(text);
    let reached = callee.as_ref().ok().map(|callee| callee.number.as_str());
    if is_inside(dialled) || reached.is_some_and(is_inside) {
        return Err(Refusal::Inside);
    }
    Ok(callee?)
}

fn ways(
    company: &Company,
    wish: &Wish<'_>,
    callee: &Callee,
    usage: &Usage,
    now: Now,
    random: &mut impl RngCore,
) -> Result<Vec<Way>, Refusal> {
    let rules = &company.outbound_rules;
    let way = |route: Option<&Route>, trunk: &TrunkId| {
        let own = rules.trunks.get(trunk);
        let format = own.map(|own| &own.format).cloned().unwrap_or_default();
        Way {
            route: route.map(|route| route.id.clone()),
            trunk: trunk.clone(),
            number: format.write(callee, &company.country_code),
            caller_number: caller_number(company, wish, route, trunk),
            cost_per_minute: route.map_or(0, |route| route.cost_per_minute),
        }
    };
    if rules.routes.is_empty() {
        let only = company.outbound.as_ref().ok_or(Refusal::NoWay)?;
        return Ok(vec![way(None, &only.trunk)]);
    }
    let is_urgent = callee.kind == Kind::Emergency;
    let at_ms = now.wall.as_millisecond();
    match route::find(
        &rules.routes,
        &callee.number,
        is_urgent,
        (usage, at_ms),
        random,
    ) {
        Found::Routes(routes) => Ok(routes
            .into_iter()
            .map(|route| way(Some(route), &route.trunk))
            .collect()),
        Found::AllFull => Err(Refusal::AllFull),
        Found::None => Err(Refusal::NoWay),
    }
}

/// What the callee sees: as the service says, else the number by which the caller came, else the
/// route, else the carrier, else the company.
fn caller_number(
    company: &Company,
    wish: &Wish<'_>,
    route: Option<&Route>,
    trunk: &TrunkId,
) -> String {
    let rules = &company.outbound_rules;
    let service = wish.service.and_then(|id| {
        let own = company.services.get(id);
        let own = own.and_then(|service| service.calls.caller_number.as_ref());
        own.or_else(|| rules.of_services.get(id))
    });
    let number = || wish.number.and_then(|id| rules.of_numbers.get(id));
    let route = || route.and_then(|route| route.caller_number.as_ref());
    let trunk = || rules.trunks.get(trunk)?.caller_number.as_ref();
    let only = || company.outbound.as_ref().map(|only| &only.number);
    service
        .or_else(number)
        .or_else(route)
        .or_else(trunk)
        .or(rules.caller_number.as_ref())
        .or_else(only)
        .cloned()
        .unwrap_or_default()
}
