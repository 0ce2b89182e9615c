use jiff::ToSpan;
use serde_json::json;

use super::*;

fn calendar(value: serde_json::Value) -> Calendar {
    serde_json::from_value(value).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `open until …` or `closed (why) until …`, in the calendar's own zone.
fn state(calendar: &Calendar, when: &str) -> String {
    let local = |at: Option<Timestamp>| match at {
        Some(at) => at
            .to_zoned(calendar.time_zone.rules().clone())
            .strftime("%a %F %H:%M %:z")
            .to_string(),
        None => "ever".to_owned(),
    };
    match calendar.state(at(when)) {
        State::Open { closes_at } => format!("open until {}", local(closes_at)),
        State::Closed {
            opens_at,
            why: Why::Hours,
        } => format!("closed until {}", local(opens_at)),
        State::Closed {
            opens_at,
            why: Why::Holiday(name),
        } => format!("{name} until {}", local(opens_at)),
        State::Closed {
            opens_at,
            why: Why::OwnDate(name),
        } => format!("{name}! until {}", local(opens_at)),
    }
}

fn office() -> serde_json::Value {
    let day = json!([{"from": "08:00", "to": "12:00"}, {"from": "13:30", "to": "18:00"}]);
    json!({
        "time_zone": "America/Sao_Paulo",
        "schedule": {"weekly": {
            "monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day,
            "saturday": [{"from": "09:00", "to": "12:00"}]
        }},
        "holidays": "brazil",
    })
}

#[test]
fn several_intervals_a_day_open_and_close_at_their_minutes() {
    let office = calendar(office());
    let table = [
        (
            "2026-11-23T07:59:59-03:00",
            "closed until Mon 2026-11-23 08:00 -03:00",
        ),
        (
            "2026-11-23T08:00:00-03:00",
            "open until Mon 2026-11-23 12:00 -03:00",
        ),
        (
            "2026-11-23T11:59:59-03:00",
            "open until Mon 2026-11-23 12:00 -03:00",
        ),
        (
            "2026-11-23T12:00:00-03:00",
            "closed until Mon 2026-11-23 13:30 -03:00",
        ),
        (
            "2026-11-23T18:00:00-03:00",
            "closed until Tue 2026-11-24 08:00 -03:00",
        ),
        (
            "2026-11-28T12:00:00-03:00",
            "closed until Mon 2026-11-30 08:00 -03:00",
        ),
        (
            "2026-11-29T10:00:00-03:00",
            "closed until Mon 2026-11-30 08:00 -03:00",
        ),
    ];
    for (when, expected) in table {
        assert_eq!(state(&office, when), expected, "{when}");
    }
}

#[test]
fn a_holiday_closes_its_day_and_says_its_name() {
    let office = calendar(office());
    assert_eq!(
        state(&office, "2026-11-20T10:00:00-03:00"),
        "Consciência Negra until Sat 2026-11-21 09:00 -03:00"
    );
    assert_eq!(
        state(&office, "2026-11-19T20:00:00-03:00"),
        "closed until Sat 2026-11-21 09:00 -03:00"
    );
    assert_eq!(
        state(&office, "2026-02-17T10:00:00-03:00"),
        "open until Tue 2026-02-17 12:00 -03:00"
    );

    let mut carnival = self::office();
    carnival["holidays"] = json!("brazil-with-optional");
    let carnival = calendar(carnival);
    assert_eq!(
        state(&carnival, "2026-02-17T10:00:00-03:00"),
        "Carnaval until Wed 2026-02-18 08:00 -03:00"
    );
}

#[test]
fn own_dates_stand_above_holidays_and_the_week() {
    let mut office = office();
    office["dates"] = json!([
        {"name": "Véspera", "on": "2025-12-24", "every_year": true, "hours": {"open": [{"from": "08:00", "to": "11:00"}]}},
        {"name": "Recesso", "on": "2026-12-26", "until": "2027-01-03", "hours": "closed"},
        {"name": "Black Friday", "on": "2026-11-20", "hours": "as-usual"},
        {"name": "Férias", "on": "2026-12-30", "until": "2026-01-02", "every_year": true, "hours": "closed"},
    ]);
    let office = calendar(office);
    let table = [
        (
            "2026-12-24T10:00:00-03:00",
            "open until Thu 2026-12-24 11:00 -03:00",
        ),
        (
            "2026-12-24T12:00:00-03:00",
            "Véspera! until Mon 2027-01-04 08:00 -03:00",
        ),
        (
            "2026-12-25T12:00:00-03:00",
            "Natal until Mon 2027-01-04 08:00 -03:00",
        ),
        (
            "2026-12-28T12:00:00-03:00",
            "Recesso! until Mon 2027-01-04 08:00 -03:00",
        ),
        (
            "2026-11-20T10:00:00-03:00",
            "open until Fri 2026-11-20 12:00 -03:00",
        ),
        (
            "2030-01-02T10:00:00-03:00",
            "Férias! until Thu 2030-01-03 08:00 -03:00",
        ),
    ];
    for (when, expected) in table {
        assert_eq!(state(&office, when), expected, "{when}");
    }
}

#[test]
fn always_open_is_open_for_ever_but_for_holidays() {
    let zone = || Zone::named("America/Sao_Paulo").unwrap();
    assert_eq!(
        state(&Calendar::always(zone()), "2026-11-23T03:00:00Z"),
        "open until ever"
    );
    let kept = Calendar {
        holidays: Holidays::Brazil,
        ..Calendar::always(zone())
    };
    assert_eq!(
        state(&kept, "2026-11-23T03:00:00Z"),
        "open until Fri 2026-12-25 00:00 -03:00"
    );
    assert_eq!(
        state(&kept, "2026-12-25T12:00:00-03:00"),
        "Natal until Sat 2026-12-26 00:00 -03:00"
    );
}

#[test]
fn never_open_is_closed_for_ever() {
    let never = calendar(json!({"time_zone": "UTC", "schedule": {"weekly": {}}}));
    assert_eq!(state(&never, "2026-11-23T03:00:00Z"), "closed until ever");
}

#[test]
fn an_interval_across_midnight_belongs_to_the_day_it_begins_on() {
    let night = json!([{"from": "22:00", "to": "06:00"}]);
    let bar = calendar(json!({
        "time_zone": "America/Sao_Paulo",
        "schedule": {"weekly": {"friday": night, "saturday": [{"from": "06:00", "to": "06:00"}]}},
        "dates": [{"name": "Luto", "on": "2026-12-05", "hours": "closed"}],
    }));
    assert_eq!(
        state(&bar, "2026-11-28T00:30:00-03:00"),
        "open until Sun 2026-11-29 06:00 -03:00",
        "they touch"
    );
    assert_eq!(
        state(&bar, "2026-11-27T00:30:00-03:00"),
        "closed until Fri 2026-11-27 22:00 -03:00"
    );
    // A closed date begins at its midnight, also for those who opened on the eve.
    assert_eq!(
        state(&bar, "2026-12-04T23:00:00-03:00"),
        "open until Sat 2026-12-05 00:00 -03:00"
    );
    assert_eq!(
        state(&bar, "2026-12-05T01:00:00-03:00"),
        "Luto! until Fri 2026-12-11 22:00 -03:00"
    );
}

#[test]
fn overlapping_intervals_are_one() {
    let calendar = calendar(json!({"time_zone": "UTC", "schedule": {"weekly": {
        "monday": [{"from": "10:00", "to": "16:00"}, {"from": "08:00", "to": "12:00"}, {"from": "11:00", "to": "11:30"}]
    }}}));
    assert_eq!(
        state(&calendar, "2026-11-23T09:00:00Z"),
        "open until Mon 2026-11-23 16:00 +00:00"
    );
}

/// Madrid: on 2026-03-29 02:00 becomes 03:00, on 2026-10-25 03:00 becomes 02:00.
fn madrid(from: &str, to: &str) -> Calendar {
    let day = json!([{"from": from, "to": to}]);
    calendar(json!({"time_zone": "Europe/Madrid", "schedule": {"weekly": {"sunday": day}}}))
}

#[test]
fn a_time_that_the_clock_jumps_over_means_the_jump() {
    let jump = "2026-03-29T01:00:00Z";
    let opens = madrid("02:30", "05:00");
    assert_eq!(
        state(&opens, "2026-03-29T00:59:59Z"),
        "closed until Sun 2026-03-29 03:00 +02:00"
    );
    assert_eq!(
        state(&opens, jump),
        "open until Sun 2026-03-29 05:00 +02:00"
    );
    let closes = madrid("01:00", "02:30");
    assert_eq!(
        state(&closes, "2026-03-29T00:59:59Z"),
        "open until Sun 2026-03-29 03:00 +02:00"
    );
    assert_eq!(
        state(&closes, jump),
        "closed until Sun 2026-04-05 01:00 +02:00"
    );
    let swallowed = madrid("02:10", "02:50");
    assert_eq!(
        state(&swallowed, "2026-03-29T00:30:00Z"),
        "closed until Sun 2026-04-05 02:10 +02:00"
    );
    assert_eq!(
        state(&swallowed, jump),
        "closed until Sun 2026-04-05 02:10 +02:00"
    );
}

#[test]
fn a_time_that_the_clock_shows_twice_means_the_first() {
    let opens = madrid("02:30", "05:00");
    assert_eq!(
        state(&opens, "2026-10-25T00:29:59Z"),
        "closed until Sun 2026-10-25 02:30 +02:00"
    );
    assert_eq!(
        state(&opens, "2026-10-25T00:30:00Z"),
        "open until Sun 2026-10-25 05:00 +01:00"
    );
    assert!(
        opens.is_open(at("2026-10-25T01:00:00Z")),
        "it does not close when the clock goes back"
    );
    let closes = madrid("01:00", "02:30");
    assert_eq!(
        state(&closes, "2026-10-25T00:29:59Z"),
        "open until Sun 2026-10-25 02:30 +02:00"
    );
    assert!(
        !closes.is_open(at("2026-10-25T01:15:00Z")),
        "nor does it open again"
    );
}

#[test]
fn midnight_itself_may_be_jumped_over() {
    // Brazil's summer time began at midnight until 2018: 2018-11-04 had no 00:00–00:59.
    let day = json!([{"from": "00:00", "to": "24:00"}]);
    let sunday = calendar(
        json!({"time_zone": "America/Sao_Paulo", "schedule": {"weekly": {"sunday": day}}}),
    );
    assert_eq!(
        state(&sunday, "2018-11-04T02:59:59Z"),
        "closed until Sun 2018-11-04 01:00 -02:00"
    );
    assert_eq!(
        state(&sunday, "2018-11-04T03:00:00Z"),
        "open until Mon 2018-11-05 00:00 -02:00"
    );
    // It ended at midnight as well: 2019-02-16 had 23:00–23:59 twice.
    let late = json!([{"from": "20:00", "to": "23:30"}]);
    let saturday = calendar(
        json!({"time_zone": "America/Sao_Paulo", "schedule": {"weekly": {"saturday": late}}}),
    );
    assert_eq!(
        state(&saturday, "2019-02-17T01:29:00Z"),
        "open until Sat 2019-02-16 23:30 -02:00"
    );
    assert_eq!(
        state(&saturday, "2019-02-17T02:10:00Z"),
        "closed until Sat 2019-02-23 20:00 -03:00"
    );
}

#[test]
fn sao_paulo_has_no_summer_time_since_2019() {
    let office = calendar(office());
    assert_eq!(
        state(&office, "2018-12-10T09:59:59Z"),
        "closed until Mon 2018-12-10 08:00 -02:00"
    );
    assert_eq!(
        state(&office, "2018-12-10T10:00:00Z"),
        "open until Mon 2018-12-10 12:00 -02:00"
    );
    assert_eq!(
        state(&office, "2026-12-07T10:59:59Z"),
        "closed until Mon 2026-12-07 08:00 -03:00"
    );
    assert_eq!(
        state(&office, "2026-12-07T11:00:00Z"),
        "open until Mon 2026-12-07 12:00 -03:00"
    );
}

/// What `state` says for one moment, it must say the same for every moment until then: checked
/// against itself minute by minute over the weeks of both changes.
#[test]
fn the_answer_holds_until_the_moment_it_names() {
    let night = json!([{"from": "22:15", "to": "02:45"}, {"from": "05:00", "to": "05:30"}]);
    let calendar = calendar(json!({
        "time_zone": "America/New_York",
        "schedule": {"weekly": {"saturday": night, "sunday": night, "tuesday": [{"from": "00:00", "to": "24:00"}]}},
        "dates": [{"name": "x", "on": "2026-03-10", "hours": {"open": [{"from": "23:59", "to": "00:01"}]}}],
    }));
    for first in ["2026-03-06T00:00:00Z", "2026-10-30T00:00:00Z"] {
        let (mut now, end) = (at(first), at(first) + 8.hours() * 24);
        let mut promised: Option<(bool, Timestamp)> = None;
        while now < end {
            let (open, until) = match calendar.state(now) {
                State::Open { closes_at } => (true, closes_at.unwrap()),
                State::Closed { opens_at, .. } => (false, opens_at.unwrap()),
            };
            assert!(until > now);
            match promised {
                Some((was_open, moment)) if now < moment => {
                    assert_eq!((open, until), (was_open, moment), "{now}")
                }
                Some((was_open, _)) => assert_ne!(open, was_open, "{now}"),
                None => {}
            }
            promised = Some((open, until));
            now += 1.minute();
        }
    }
}

#[test]
fn the_ends_of_time_do_no_harm() {
    let office = calendar(office());
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        assert!(matches!(
            office.state(moment),
            State::Open { .. } | State::Closed { .. }
        ));
    }
}

#[test]
fn times_and_zones_that_do_not_exist_are_refused() {
    for bad in ["24:01", "8:00", "08:60", "0800", "+8:00", "08:00:00", ""] {
        assert!(
            serde_json::from_value::<ClockTime>(json!(bad)).is_err(),
            "{bad}"
        );
    }
    assert_eq!(
        serde_json::from_value::<ClockTime>(json!("24:00"))
            .unwrap()
            .minutes(),
        1_440
    );
    assert!(Zone::named("America/Ramal").is_err());
    assert_eq!(
        serde_json::to_value(Zone::named("America/Sao_Paulo").unwrap()).unwrap(),
        "America/Sao_Paulo"
    );
}
