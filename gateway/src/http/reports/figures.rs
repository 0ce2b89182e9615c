//! A report as the API shows it.

use serde::Serialize;
use store::reports::Figures;

use super::agents::AgentTime;
use super::window::Window;

/// Figures, a row each.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Report {
    /// What began from this moment on is counted, milliseconds since 1970 (UTC).
    pub(super) from_ms: i64,
    /// And before this one.
    pub(super) until_ms: i64,
    /// Whose hours and days these are.
    pub(super) time_zone: String,
    pub(super) items: Vec<ReportRow>,
    /// All rows together.
    pub(super) total: ReportRow,
}

/// Counts and sums, of which the screen makes shares and averages. Those of waits are of waits that began in that
/// time, whatever became of them later, those of handling of what came into an agent's hands in it; what is not
/// over yet is not counted. Times are milliseconds.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ReportRow {
    /// The id of the service, agent, channel or number; the hour, `0` to `23`; the day, `2026-11-23`. Empty for
    /// the total, and where no channel is known.
    pub(super) key: String,
    /// What people call it; nothing where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The medium of a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) medium: Option<String>,
    /// Within which the service wants its customers answered now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_ms: Option<i64>,
    #[serde(flatten)]
    pub(super) counted: Counted,
    /// The time of an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<AgentTime>,
    #[serde(skip)]
    pub(super) figures: Figures,
}

/// What is counted in a row. The service level is `in_target` of `in_target` and `late`, the abandonment
/// `abandoned` of `arrived` less `left_soon`, the average wait `waited_ms` by `answered`, the handle time
/// `handled_ms` by `handled`.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Counted {
    /// Customers who began to wait for somebody.
    arrived: i64,
    answered: i64,
    /// Gave up.
    abandoned: i64,
    /// Left so soon that it does not count.
    left_soon: i64,
    /// Were told that nobody can.
    closed: i64,
    /// Went over to another service.
    moved: i64,
    /// Answered within the target that there was.
    in_target: i64,
    /// Answered later, or given up, where there was a target.
    late: i64,
    /// How long those waited who were answered.
    waited_ms: i64,
    /// How long the one of them waited who waited longest.
    waited_max_ms: i64,
    /// How long those waited who gave up.
    abandoned_ms: i64,
    /// Works that agents had in hand.
    handled: i64,
    /// Of these, handed on.
    transferred: i64,
    /// How long was talked or written, hold included.
    talked_ms: i64,
    /// How long customers were on hold.
    held_ms: i64,
    wrapped_ms: i64,
    /// Talk and wrap-up together.
    handled_ms: i64,
}

impl Report {
    pub(super) fn of(window: &Window, items: Vec<ReportRow>) -> Self {
        let mut sum = Figures::default();
        for row in &items {
            sum.add(&row.figures);
        }
        let (from_ms, until_ms) = window.ends_ms();
        Self {
            from_ms,
            until_ms,
            time_zone: window.zone.iana_name().unwrap_or("UTC").to_owned(),
            total: ReportRow::new(String::new(), &sum),
            items,
        }
    }
}

impl ReportRow {
    pub(super) fn new(key: String, figures: &Figures) -> Self {
        Self {
            key,
            counted: Counted::of(figures),
            figures: *figures,
            ..Self::default()
        }
    }
}

impl Counted {
    pub(super) fn of(figures: &Figures) -> Self {
        Self {
            arrived: figures.offered,
            answered: figures.answered,
            abandoned: figures.abandoned,
            left_soon: figures.left_soon,
            closed: figures.closed,
            moved: figures.moved,
            in_target: figures.in_target,
            late: figures.targeted - figures.in_target,
            waited_ms: figures.waited_ms,
            waited_max_ms: figures.waited_max_ms,
            abandoned_ms: figures.abandoned_ms,
            handled: figures.handled,
            transferred: figures.transferred,
            talked_ms: figures.talked_ms,
            held_ms: figures.held_ms,
            wrapped_ms: figures.wrapped_ms,
            handled_ms: figures.talked_ms + figures.wrapped_ms,
        }
    }
}

/// A part of a whole, 0 to 1, in ten-thousandths.
pub(super) fn share(part: i64, whole: i64) -> Option<f64> {
    let ten_thousandths = part.saturating_mul(10_000).checked_div(whole)?;
    i32::try_from(ten_thousandths)
        .ok()
        .map(|share| f64::from(share) / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(share(1, 3), Some(0.3333));
        assert_eq!(share(-1, 2), Some(-0.5));
        assert_eq!(share(1, 0), None);
    }
}
