//! The national holidays of Brazil, and the days that follow Easter.

use jiff::ToSpan;
use jiff::civil::Date;

/// A day on which most companies do not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// What Brazilians call it.
    pub name: &'static str,
    /// Whether it is an optional point (ponto facultativo): no holiday by law, yet kept by many.
    pub optional: bool,
}

/// The holiday that `day` is in Brazil, if any.
///
/// Fixed dates are of Lei 662/1949 as amended by Lei 10.607/2002, Lei 6.802/1980 and Lei
/// 14.759/2023; the yearly federal ordinance adds the Friday before Easter as a national holiday,
/// and Carnaval and Corpus Christi as optional points.
#[must_use]
pub fn brazil(day: Date) -> Option<Holiday> {
    let year = day.year();
    let fixed = match (day.month(), day.day()) {
        (1, 1) => Some("Confraternização Universal"),
        (4, 21) => Some("Tiradentes"),
        (5, 1) => Some("Dia do Trabalho"),
        (9, 7) => Some("Independência do Brasil"),
        (10, 12) if year >= 1980 => Some("Nossa Senhora Aparecida"),
        (11, 2) => Some("Finados"),
        (11, 15) => Some("Proclamação da República"),
        (11, 20) if year >= 2024 => Some("Consciência Negra"),
        (12, 25) => Some("Natal"),
        (_, _) => None,
    };
    if let Some(name) = fixed {
        return Some(Holiday {
            name,
            optional: false,
        });
    }
    // No such feast is before February or after June: most days need no Easter.
    if !(2..=6).contains(&day.month()) {
        return None;
    }
    let (name, optional) = match day.day_of_year() - easter(year)?.day_of_year() {
        -48 | -47 => ("Carnaval", true),
        -2 => ("Sexta-feira Santa", false),
        60 => ("Corpus Christi", true),
        _ => return None,
    };
    Some(Holiday { name, optional })
}

/// Easter Sunday of `year` in the Gregorian calendar.
///
/// The moon's age is taken from the 19-year cycle (`golden`) with the century's corrections; the
/// full moon on or after 21 March so found is moved to the Sunday after it.
#[must_use]
pub fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let golden = year_number.rem_euclid(19);
    let century = year_number.div_euclid(100);
    let skipped_leap_days = century - century.div_euclid(4);
    let moon_correction = (8 * century + 13).div_euclid(25);
    let mut age = (skipped_leap_days - moon_correction + 19 * golden + 15).rem_euclid(30);
    // The two corrections that keep full moons of one cycle apart.
    if age == 29 || (age == 28 && golden > 10) {
        age -= 1;
    }
    let full_moon = Date::new(year, 3, 21).ok()?.checked_add(age.days()).ok()?;
    let to_sunday = 7 - i32::from(full_moon.weekday().to_sunday_zero_offset());
    full_moon.checked_add(to_sunday.days()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_falls_where_the_almanacs_have_it() {
        let known = [
            date(1818, 3, 22), // the earliest
            date(1943, 4, 25), // the latest
            date(1954, 4, 18), // age 28 in a late golden year
            date(1981, 4, 19), // age 29
            date(2000, 4, 23),
            date(2019, 4, 21),
            date(2023, 4, 9),
            date(2024, 3, 31),
            date(2025, 4, 20),
            date(2026, 4, 5),
            date(2027, 3, 28),
            date(2038, 4, 25),
        ];
        for day in known {
            assert_eq!(easter(day.year()), Some(day));
        }
    }

    #[test]
    fn the_year_2026_has_ten_national_holidays_and_three_optional_points() {
        let year: Vec<_> = date(2026, 1, 1)
            .series(1.day())
            .take_while(|day| day.year() == 2026)
            .filter_map(|day| brazil(day).map(|holiday| (day, holiday.optional)))
            .collect();
        assert_eq!(
            year,
            [
                (date(2026, 1, 1), false),
                (date(2026, 2, 16), true),
                (date(2026, 2, 17), true),
                (date(2026, 4, 3), false),
                (date(2026, 4, 21), false),
                (date(2026, 5, 1), false),
                (date(2026, 6, 4), true),
                (date(2026, 9, 7), false),
                (date(2026, 10, 12), false),
                (date(2026, 11, 2), false),
                (date(2026, 11, 15), false),
                (date(2026, 11, 20), false),
                (date(2026, 12, 25), false),
            ]
        );
    }

    #[test]
    fn consciencia_negra_is_national_since_2024() {
        assert_eq!(brazil(date(2023, 11, 20)), None);
        assert!(brazil(date(2024, 11, 20)).is_some());
    }
}
