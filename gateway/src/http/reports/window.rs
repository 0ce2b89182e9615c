//! The time that a report is about, by the company's clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use store::reports::Stretch;

use super::super::body::moment;
use super::super::problem::Problem;

/// The time that a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) zone: TimeZone,
}

impl Window {
    /// From a day or moment until another; today where nothing is said.
    pub(super) fn of(
        zone: TimeZone,
        now_ms: i64,
        from: Option<&str>,
        until: Option<&str>,
    ) -> Result<Self, Problem> {
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let today = zone.to_datetime(now).date();
        let begins = |day: Date, field: &str| {
            let wrong = |_| Problem::field(field, "invalid_time");
            day.to_zoned(zone.clone())
                .map(|at| at.timestamp())
                .map_err(wrong)
        };
        let after = |day: Date| begins(day.tomorrow().unwrap_or(day), "until");
        let (from, first) = match from {
            None => (begins(today, "from")?, today),
            Some(text) => match text.parse::<Date>() {
                Ok(day) if is_day(text) => (begins(day, "from")?, day),
                Ok(_) | Err(_) => {
                    let from = moment(text, "from")?;
                    (from, zone.to_datetime(from).date())
                }
            },
        };
        let until = match until {
            None => after(first)?,
            Some(text) => match text.parse::<Date>() {
                Ok(day) if is_day(text) => after(day)?,
                Ok(_) | Err(_) => moment(text, "until")?,
            },
        };
        if until <= from
            || from
                .checked_add(WINDOW_HOURS_MAX.hours())
                .is_ok_and(|last| until > last)
        {
            return Err(Problem::field("until", "out_of_range").because("400 days at most"));
        }
        Ok(Self { from, until, zone })
    }

    /// The same time in stretches within which the clock was not set.
    pub(super) fn stretches(&self) -> Vec<Stretch> {
        stretches(&self.zone, self.from, self.until)
    }

    /// The days of which it has a part.
    pub(super) fn days(&self) -> impl Iterator<Item = Date> {
        let last = self
            .until
            .checked_sub(1.millisecond())
            .unwrap_or(self.until);
        let (first, last) = (
            self.zone.to_datetime(self.from).date(),
            self.zone.to_datetime(last).date(),
        );
        first.series(1.day()).take_while(move |day| *day <= last)
    }

    /// Both ends, milliseconds since 1970 (UTC).
    pub(super) fn ends_ms(&self) -> (i64, i64) {
        (self.from.as_millisecond(), self.until.as_millisecond())
    }
}

/// The time between two moments in stretches within which the clock of a zone was not set; at least one.
pub(in crate::http) fn stretches(
    zone: &TimeZone,
    mut from: Timestamp,
    until: Timestamp,
) -> Vec<Stretch> {
    let offset = |at: Timestamp| i64::from(zone.to_offset(at).seconds()) * 1000;
    let mut stretches = vec![];
    for jump in zone.following(from) {
        let at = jump.timestamp();
        if at >= until {
            break;
        }
        if offset(at) != offset(from) {
            stretches.push(Stretch {
                from_ms: from.as_millisecond(),
                until_ms: at.as_millisecond(),
                offset_ms: offset(from),
            });
            from = at;
        }
    }
    stretches.push(Stretch {
        from_ms: from.as_millisecond(),
        until_ms: until.as_millisecond(),
        offset_ms: offset(from),
    });
    stretches
}

/// `2026-11-23`, and nothing else that has a date in it.
fn is_day(text: &str) -> bool {
    text.len() == "2026-11-23".len()
}

/// So much is counted at once, hours: a year and the same month of the year before, 400 days.
const WINDOW_HOURS_MAX: i64 = 400 * 24;

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_795_446_000_000; // 2026-11-23, 12:00 in São Paulo.

    fn window(from: Option<&str>, until: Option<&str>) -> Result<(String, String), String> {
        let zone = TimeZone::get("America/Sao_Paulo").expect("a zone");
        let found = Window::of(zone, NOON_MS, from, until);
        let found = found.map_err(|problem| problem.at_field().unwrap_or_default().to_owned())?;
        Ok((found.from.to_string(), found.until.to_string()))
    }

    fn told(from: &str, until: &str) -> Result<(String, String), String> {
        Ok((from.into(), until.into()))
    }

    #[test]
    fn a_window_is_days_of_the_company_or_moments() {
        assert_eq!(
            window(None, None),
            told("2026-11-23T03:00:00Z", "2026-11-24T03:00:00Z")
        );
        assert_eq!(
            window(Some("2026-11-01"), Some("2026-11-30")),
            told("2026-11-01T03:00:00Z", "2026-12-01T03:00:00Z")
        );
        assert_eq!(
            window(Some("2026-11-01"), None),
            told("2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z")
        );
        let moments = window(Some("2026-11-23T10:00:00-03:00"), Some("1795446000000"));
        assert_eq!(
            moments,
            told("2026-11-23T13:00:00Z", "2026-11-23T15:00:00Z")
        );
        assert_eq!(window(Some("yesterday"), None), Err("from".into()));
        assert_eq!(
            window(Some("2026-11-02"), Some("2026-11-01")),
            Err("until".into())
        );
        assert_eq!(
            window(Some("2025-01-01"), Some("2026-11-01")),
            Err("until".into())
        );
    }

    #[test]
    fn stretches_end_where_the_clock_is_set() {
        let zone = TimeZone::get("Europe/Madrid").expect("a zone");
        let window =
            Window::of(zone, NOON_MS, Some("2026-10-24"), Some("2026-10-26")).expect("a window");
        let hours: Vec<(i64, i64)> = window
            .stretches()
            .iter()
            .map(|stretch| {
                (
                    (stretch.until_ms - stretch.from_ms) / 3_600_000,
                    stretch.offset_ms / 3_600_000,
                )
            })
            .collect();
        // On the 25th at three it is two o'clock again.
        assert_eq!(hours, [(27, 2), (46, 1)]);
        assert_eq!(
            window.days().map(|day| day.to_string()).collect::<Vec<_>>(),
            ["2026-10-24", "2026-10-25", "2026-10-26"]
        );
    }
}
