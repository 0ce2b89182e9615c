//! Opening hours: when a company answers, and until when.
//!
//! ```text
//!  a civil day ─▶ own date? ─▶ holiday that ships? ─▶ day of the week ─▶ intervals of wall-clock time
//!  intervals of three days ─▶ merged ─▶ instants, by the rules of the time zone ─▶ open or closed
//! ```
//!
//! Intervals are wall-clock time and belong to the day they begin on. They become instants by one
//! rule that never runs backwards: a time that the clock shows twice means the first of the two,
//! a time that the clock jumps over means the jump. So intervals that touch still touch.

pub mod holidays;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use holidays::Holiday;

/// When a company answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The time zone that all times here are of.
    pub time_zone: Zone,
    /// The hours of an ordinary day.
    pub schedule: Schedule,
    /// Which of the holidays that ship are kept.
    #[serde(default)]
    pub holidays: Holidays,
    /// Dates of the company's own. They stand above holidays; the first that fits a day decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<OwnDate>,
}

/// The hours of an ordinary day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Day and night.
    Always,
    /// By the day of the week.
    Weekly(Box<Week>),
}

/// The intervals of each day of the week; a day without any is closed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    /// Segunda-feira.
    pub monday: Vec<Interval>,
    /// Terça-feira.
    pub tuesday: Vec<Interval>,
    /// Quarta-feira.
    pub wednesday: Vec<Interval>,
    /// Quinta-feira.
    pub thursday: Vec<Interval>,
    /// Sexta-feira.
    pub friday: Vec<Interval>,
    /// Sábado.
    pub saturday: Vec<Interval>,
    /// Domingo.
    pub sunday: Vec<Interval>,
}

/// From one time of the day to another.
///
/// Where `to` is not after `from` it is a time of the next day: 22:00–06:00 crosses midnight, and
/// 08:00–08:00 lasts a whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The first minute.
    pub from: ClockTime,
    /// The minute at which it is over.
    pub to: ClockTime,
}

/// A time of the day in whole minutes, `00:00`–`24:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    with = "String",
    extend("pattern" = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")
)]
pub struct ClockTime(u16);

/// Which of the holidays that ship are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Holidays {
    /// None.
    #[default]
    None,
    /// The national holidays of Brazil.
    Brazil,
    /// Those, and the optional points (ponto facultativo): Carnaval and Corpus Christi.
    BrazilWithOptional,
}

/// A date, or a run of dates, with hours of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnDate {
    /// What it is called.
    pub name: String,
    /// The first day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
    /// The last day, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub until: Option<Date>,
    /// Whether it returns every year on the same days.
    #[serde(default)]
    pub every_year: bool,
    /// What the hours are.
    pub hours: DayHours,
}

/// The hours of a date of the company's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DayHours {
    /// Closed from midnight to midnight.
    Closed,
    /// As on any such day of the week, although it may be a holiday.
    AsUsual,
    /// These, and no others.
    Open(Vec<Interval>),
}

/// Whether a company answers at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Open {
        /// Until when; `None` when there is no end within [`SEARCH_DAYS_MAX`].
        closes_at: Option<Timestamp>,
    },
    /// It does not.
    Closed {
        /// Until when; `None` when it does not open within [`SEARCH_DAYS_MAX`].
        opens_at: Option<Timestamp>,
        /// Why not.
        why: Why,
    },
}

/// Why a company does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is outside the hours of that day.
    Hours,
    /// It is a holiday that ships, by this name.
    Holiday(&'static str),
    /// It is a date of the company's own, by this name.
    OwnDate(String),
}

/// An interval between two wall-clock moments. The end is not part of it.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: DateTime,
    end: DateTime,
}

/// What decides the hours of one civil day.
enum Rule<'a> {
    Own(&'a OwnDate),
    Holiday(Holiday),
    Ordinary,
}

impl Calendar {
    /// Always open, without holidays.
    #[must_use]
    pub fn always(time_zone: Zone) -> Self {
        Self {
            time_zone,
            schedule: Schedule::Always,
            holidays: Holidays::None,
            dates: Vec::new(),
        }
    }

    /// Whether the company answers at the moment `at`, and until when that lasts.
    #[must_use]
    pub fn state(&self, at: Timestamp) -> State {
        if self.schedule == Schedule::Always
            && self.holidays == Holidays::None
            && self.dates.is_empty()
        {
            return State::Open { closes_at: None };
        }
        let today = self.time_zone.0.to_datetime(at).date();
        // The eve's last interval may reach into today; instants decide, not the wall clock.
        let eve = today.yesterday().unwrap_or(today);
        let mut span: Option<Span> = None;
        let mut day = eve;
        for _ in 0..SEARCH_DAYS_MAX {
            for next in self.spans_of(day) {
                match &mut span {
                    Some(open) if next.start <= open.end => open.end = open.end.max(next.end),
                    Some(open) => {
                        if let Some(state) = self.settle(at, *open) {
                            return state;
                        }
                        span = Some(next);
                    }
                    None => span = Some(next),
                }
            }
            let Ok(following) = day.tomorrow() else { break };
            // Nothing that begins from `following` on can touch the span: it is whole.
            if let Some(open) = span.filter(|open| open.end < following.to_datetime(MIDNIGHT)) {
                if let Some(state) = self.settle(at, open) {
                    return state;
                }
                span = None;
            }
            day = following;
        }
        match span {
            // The span reached the end of the search.
            Some(open) if self.instant(open.start) <= at => State::Open { closes_at: None },
            Some(open) => self.closed(at, Some(self.instant(open.start))),
            None => self.closed(at, None),
        }
    }

    /// Whether the company answers at the moment `at`.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        matches!(self.state(at), State::Open { .. })
    }

    /// The answer at `at`, when `span` is the first that may hold it; nothing if it is over by then.
    fn settle(&self, at: Timestamp, span: Span) -> Option<State> {
        let (start, end) = (self.instant(span.start), self.instant(span.end));
        if end <= at || end <= start {
            None // Over, or swallowed whole by a jump of the clock.
        } else if start <= at {
            Some(State::Open {
                closes_at: Some(end),
            })
        } else {
            Some(self.closed(at, Some(start)))
        }
    }

    fn closed(&self, at: Timestamp, opens_at: Option<Timestamp>) -> State {
        let why = match self.rule(self.time_zone.0.to_datetime(at).date()) {
            Rule::Own(date) if date.hours != DayHours::AsUsual => Why::OwnDate(date.name.clone()),
            Rule::Holiday(holiday) => Why::Holiday(holiday.name),
            Rule::Own(_) | Rule::Ordinary => Why::Hours,
        };
        State::Closed { opens_at, why }
    }

    /// The spans that begin on `day`, in order, cut at the next midnight where the day after has
    /// hours of its own: who closes on the 25th does not answer at one in the morning of it.
    fn spans_of(&self, day: Date) -> Vec<Span> {
        let mut spans: Vec<Span> = match self.rule(day) {
            Rule::Holiday(_) => Vec::new(),
            Rule::Own(OwnDate {
                hours: DayHours::Closed,
                ..
            }) => Vec::new(),
            Rule::Own(OwnDate {
                hours: DayHours::Open(intervals),
                ..
            }) => intervals
                .iter()
                .filter_map(|interval| interval.on(day))
                .collect(),
            Rule::Own(OwnDate {
                hours: DayHours::AsUsual,
                ..
            })
            | Rule::Ordinary => match &self.schedule {
                Schedule::Always => WHOLE_DAY.on(day).into_iter().collect(),
                Schedule::Weekly(week) => week
                    .day(day.weekday())
                    .iter()
                    .filter_map(|interval| interval.on(day))
                    .collect(),
            },
        };
        spans.sort_by_key(|span| span.start);
        if let Ok(tomorrow) = day.tomorrow() {
            let cut = tomorrow.to_datetime(MIDNIGHT);
            if spans.iter().any(|span| span.end > cut) && self.is_special(tomorrow) {
                for span in &mut spans {
                    span.end = span.end.min(cut);
                }
            }
        }
        spans
    }

    fn is_special(&self, day: Date) -> bool {
        match self.rule(day) {
            Rule::Own(date) => date.hours != DayHours::AsUsual,
            Rule::Holiday(_) => true,
            Rule::Ordinary => false,
        }
    }

    fn rule(&self, day: Date) -> Rule<'_> {
        if let Some(date) = self.dates.iter().find(|date| date.holds(day)) {
            return Rule::Own(date);
        }
        let kept = match self.holidays {
            Holidays::None => None,
            Holidays::Brazil => holidays::brazil(day).filter(|holiday| !holiday.optional),
            Holidays::BrazilWithOptional => holidays::brazil(day),
        };
        kept.map_or(Rule::Ordinary, Rule::Holiday)
    }

    /// The instant of a wall-clock moment: the first where the clock shows it twice, the jump
    /// where it never shows it.
    fn instant(&self, moment: DateTime) -> Timestamp {
        let zone = &self.time_zone.0;
        let end_of_time = |_| {
            if moment.year() < 0 {
                Timestamp::MIN
            } else {
                Timestamp::MAX
            }
        };
        match zone.to_ambiguous_timestamp(moment).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                offset.to_timestamp(moment).unwrap_or_else(end_of_time)
            }
            AmbiguousOffset::Fold { before, .. } => {
                before.to_timestamp(moment).unwrap_or_else(end_of_time)
            }
            AmbiguousOffset::Gap { after, .. } => {
                let earlier = after.to_timestamp(moment).unwrap_or_else(end_of_time);
                zone.following(earlier)
                    .next()
                    .map_or(earlier, |jump| jump.timestamp())
            }
        }
    }
}

impl Week {
    /// The same intervals from Monday to Friday.
    #[must_use]
    pub fn working_days(intervals: &[Interval]) -> Self {
        let day = || intervals.to_vec();
        Self {
            monday: day(),
            tuesday: day(),
            wednesday: day(),
            thursday: day(),
            friday: day(),
            saturday: Vec::new(),
            sunday: Vec::new(),
        }
    }

    /// The intervals of one day.
    #[must_use]
    pub fn day(&self, weekday: Weekday) -> &[Interval] {
        match weekday {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }
}

impl OwnDate {
    fn holds(&self, day: Date) -> bool {
        let last = self.until.unwrap_or(self.on);
        if !self.every_year {
            return self.on <= day && day <= last;
        }
        let of_year = |date: Date| (date.month(), date.day());
        let (from, to, day) = (of_year(self.on), of_year(last), of_year(day));
        if from <= to {
            from <= day && day <= to
        } else {
            from <= day || day <= to
        }
    }
}

impl Interval {
    /// The interval that begins on `day`; nothing at the end of time.
    fn on(self, day: Date) -> Option<Span> {
        let (start, end) = (self.from.of(day)?, self.to.of(day)?);
        let end = if end > start {
            end
        } else {
            self.to.of(day.tomorrow().ok()?)?
        };
        Some(Span { start, end })
    }
}

impl ClockTime {
    /// The time of `hour`:`minute`, up to 24:00.
    #[must_use]
    pub fn new(hour: u8, minute: u8) -> Option<Self> {
        let minutes = u16::from(hour)
            .checked_mul(60)?
            .checked_add(u16::from(minute))?;
        (minute < 60 && minutes <= DAY_MINUTES).then_some(Self(minutes))
    }

    /// This time on `day`; 24:00 is the midnight after it.
    fn of(self, day: Date) -> Option<DateTime> {
        if self.0 >= DAY_MINUTES {
            return Some(day.tomorrow().ok()?.to_datetime(MIDNIGHT));
        }
        let (hour, minute) = (
            i8::try_from(self.0 / 60).ok()?,
            i8::try_from(self.0 % 60).ok()?,
        );
        Some(day.at(hour, minute, 0, 0))
    }

    /// Minutes since midnight, 0 to 1440.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        time.to_string()
    }
}

/// The text is not a time of the day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of the day between 00:00 and 24:00")]
pub struct NotATime(String);

impl TryFrom<String> for ClockTime {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        let two_digits = |part: &str| match part.as_bytes() {
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => part.parse().ok(),
            _ => None,
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Self::new(two_digits(hour)?, two_digits(minute)?))
            .ok_or_else(|| NotATime(text.clone()))
    }
}

/// A time zone of the IANA database, by its name: `America/Sao_Paulo`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name.
    ///
    /// # Errors
    ///
    /// If the IANA database that is built in has no such zone.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name)
            .map(Self)
            .map_err(|_| UnknownZone(name.to_owned()))
    }

    /// The rules of the zone.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// The name of the zone.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The IANA database has no such zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{0}`")]
pub struct UnknownZone(String);

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        Self::named(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

/// How far ahead the next opening or closing is looked for, days: a year and what a leap year or a
/// long recess adds. A company that stays closed longer has no next opening worth telling.
pub const SEARCH_DAYS_MAX: u16 = 400;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

const MIDNIGHT: jiff::civil::Time = jiff::civil::Time::midnight();

const WHOLE_DAY: Interval = Interval {
    from: ClockTime(0),
    to: ClockTime(DAY_MINUTES),
};

#[cfg(test)]
mod tests;
