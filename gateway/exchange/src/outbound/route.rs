//! Which carriers a call may leave by, and in which order they are tried.

use std::collections::BTreeSet;

use desk::id::{OutboundRouteId, TrunkId};
use rand::{Rng, RngCore};

use super::prefix::Prefix;
use super::usage::Usage;

/// One way out: numbers that begin so may leave by this carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub id: OutboundRouteId,
    /// The carrier.
    pub trunk: TrunkId,
    /// The numbers it is for.
    pub prefix: Prefix,
    /// Which of several with the same prefix is tried first: the smallest.
    pub priority: u16,
    /// How often it is the first among those with the same prefix and priority, in proportion to
    /// the others' weights. One of weight 0 comes behind those that have one.
    pub weight: u16,
    /// Calls at once.
    pub calls_max: Option<u32>,
    /// Calls that may begin in one second.
    pub calls_per_second_max: Option<u32>,
    /// What a minute costs, in thousandths of the company's currency.
    pub cost_per_minute: u32,
    /// What the callee sees, where the service has said nothing.
    pub caller_number: Option<String>,
}

/// What came of looking for routes.
pub(super) enum Found<'r> {
    /// These, in this order, each by another carrier.
    Routes(Vec<&'r Route>),
    /// Each that fits has all the calls it may have.
    AllFull,
    /// None fits.
    None,
}

/// The routes of a number, in the order in which they are tried: the longest prefix, then the
/// smallest priority, then by chance in proportion to the weights; and behind all of them those
/// whose carrier does not answer. `is_urgent` calls are tried on full routes, too.
pub(super) fn find<'r>(
    routes: &'r [Route],
    number: &str,
    is_urgent: bool,
    (usage, at_ms): (&Usage, i64),
    random: &mut impl RngCore,
) -> Found<'r> {
    let mut fitting: Vec<&Route> = routes
        .iter()
        .filter(|route| route.prefix.fits(number))
        .collect();
    if fitting.is_empty() {
        return Found::None;
    }
    fitting.retain(|route| is_urgent || usage.has_room(route, at_ms));
    fitting.sort_by(|one, other| {
        let precision = other.prefix.cmp_precision(&one.prefix);
        precision.then(one.priority.cmp(&other.priority))
    });
    let mut ordered: Vec<&Route> = fitting
        .chunk_by(|one, other| {
            one.prefix.cmp_precision(&other.prefix).is_eq() && one.priority == other.priority
        })
        .flat_map(|equals| shuffled(equals, random))
        .collect();
    // The sort is stable: among the silent, and among the others, the order stays.
    ordered.sort_by_key(|route| usage.is_silent(&route.trunk));
    let mut met = BTreeSet::new();
    ordered.retain(|route| met.insert(&route.trunk));
    if ordered.is_empty() {
        Found::AllFull
    } else {
        Found::Routes(ordered)
    }
}

/// Draws one after the other, each with the chance of its weight among those that are left.
fn shuffled<'r>(equals: &[&'r Route], random: &mut impl RngCore) -> Vec<&'r Route> {
    let mut left = equals.to_vec();
    let mut drawn = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let total: u32 = left.iter().map(|route| u32::from(route.weight)).sum();
        let mut at = if total == 0 {
            0
        } else {
            random.random_range(0..total)
        };
        let next = left.iter().position(|route| {
            let weight = u32::from(route.weight);
            let is_it = at < weight || total == 0;
            at = at.saturating_sub(weight);
            is_it
        });
        drawn.push(left.remove(next.unwrap_or_default()));
    }
    drawn
}

/// Whether another carrier may do better, after one ended the call with this final status; `None`
/// where none came: unreachable, no answer in time, or refused by our own limits. `rang` says
/// whether the callee's telephone rang.
///
/// What the callee decided, or what is wrong with the number itself, is the same by every carrier;
/// what is between us and this carrier, or wrong with the carrier, is not.
pub fn may_fail_over(status: Option<u16>, rang: bool) -> bool {
    if rang {
        // It reached the callee: trying again would ring a second time.
        return false;
    }
    match status {
        None => true,
        Some(status) => match status {
            // A redirection that nobody follows: this carrier will not carry it.
            300..=399 => true,
            // Our account there: credentials, credit, what it may dial (RFC 3261 section 21.4).
            401..=403 | 407 => true,
            // It does not take the way we speak, or the codecs; another one may (RFC 3261
            // sections 21.4.6 to 21.4.17 and 21.4.26).
            405 | 406 | 413..=416 | 420 | 421 | 488 | 494 => true,
            // The answer that a transaction without one gets (RFC 3261 section 17.1.1.2).
            408 => true,
            // Loops and lost calls at the carrier (RFC 3261 sections 21.4.18 to 21.4.20).
            481..=483 => true,
            // 404 and 410 no such number, 480 and 487 not there, 484 and 485 a number that is not
            // whole, 486 busy, 491 and the rest: another carrier leads to the same callee.
            400..=499 => false,
            // The carrier failed (RFC 3261 section 21.5).
            500..=599 => true,
            // All telephones of the callee have spoken: busy, declined, unwanted (RFC 3261
            // section 21.6, RFC 8197).
            600..=699 => false,
            _ => false,
        },
    }
}
