//! Invitations: enough of RFC 5545 to show a card. The whole is kept as a file.

use super::mail::{Address, Meeting};
use super::mime::one_line;

/// The first event of a calendar; none if it has none.
pub(super) fn read(calendar: &str) -> Option<Meeting> {
    let mut meeting = Meeting::default();
    let mut inside = vec![];
    let mut found = false;
    for line in unfolded(calendar).lines().take(LINES_MAX) {
        let Some((name, parameters, value)) = field(line) else {
            continue;
        };
        match name.as_str() {
            "BEGIN" if inside.len() < DEPTH_MAX => inside.push(value.to_ascii_uppercase()),
            "END"
                if inside
                    .last()
                    .is_some_and(|last| last.eq_ignore_ascii_case(value)) =>
            {
                if value.eq_ignore_ascii_case("VEVENT") {
                    return Some(meeting);
                }
                inside.pop();
            }
            "METHOD" => meeting.method = one_line(value).to_ascii_uppercase(),
            _ if inside.last().is_some_and(|last| last == "VEVENT") => {
                found = true;
                event_field(&mut meeting, &name, parameters, value);
            }
            _ => {}
        }
    }
    found.then_some(meeting)
}

fn event_field(meeting: &mut Meeting, name: &str, parameters: &str, value: &str) {
    match name {
        "SUMMARY" => meeting.summary = plain(value),
        "LOCATION" => meeting.place = plain(value),
        "DTSTART" => {
            meeting.start = one_line(value.trim_end_matches('Z'));
            meeting.zone = match parameter(parameters, "TZID") {
                Some(zone) => one_line(zone.trim_matches('"')),
                None if value.ends_with('Z') => "UTC".to_owned(),
                None => String::new(),
            };
        }
        "DTEND" => meeting.end = one_line(value.trim_end_matches('Z')),
        "ORGANIZER" => {
            let address = value
                .get(.."mailto:".len())
                .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
            let address = address.and_then(|scheme| Address::parse(value.get(scheme.len()..)?));
            let name = parameter(parameters, "CN").map(|name| one_line(name.trim_matches('"')));
            meeting.organizer = address.map(|address| address.named(name));
        }
        _ => {}
    }
}

/// RFC 5545 section 3.1: a line goes on where the next begins with a space.
fn unfolded(calendar: &str) -> String {
    calendar
        .replace("\r\n", "\n")
        .replace("\n ", "")
        .replace("\n\t", "")
}

/// `NAME;PARAMETER=…:value`; a colon in quotes belongs to the parameter.
fn field(line: &str) -> Option<(String, &str, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == ':' && !quoted).then_some(at)
    })?;
    let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some((name.trim().to_ascii_uppercase(), parameters, value.trim()))
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|one| {
        let (key, value) = one.split_once('=')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// RFC 5545 section 3.3.11, on one line.
fn plain(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n' | 'N') => text.push(' '),
                Some(escaped) => text.push(escaped),
                None => {}
            },
            _ => text.push(c),
        }
    }
    one_line(&text).chars().take(TEXT_CHARS_MAX).collect()
}

/// The first event stands near the top, behind the zones.
const LINES_MAX: usize = 5_000;
/// Calendar, event, alarm.
const DEPTH_MAX: usize = 8;
/// What fits a card.
const TEXT_CHARS_MAX: usize = 500;
