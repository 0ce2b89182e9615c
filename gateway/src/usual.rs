//! What a new company has before anybody has set anything.

use desk::id::CompanyId;
use store::pauses::Pause;

/// The usual reasons for pauses, in the company's language.
///
/// The short rests are those that Brazil's NR-17 gives to those who answer calls: paid, ten minutes.
pub fn pauses(company: &CompanyId, language: &str, now_ms: i64) -> Vec<Pause> {
    let spoken = usize::from(language.starts_with("en")) + 2 * usize::from(language == "es");
    let rows = PAUSES.iter().filter_map(|(id, names, limit_s, paid)| {
        Some(Pause {
            id: id.parse().ok()?,
            company: company.clone(),
            name: names[spoken].to_owned(),
            limit_s: *limit_s,
            paid: *paid,
            disabled: false,
            created_ms: now_ms,
            updated_ms: now_ms,
        })
    });
    rows.collect()
}

/// Ids, names in Portuguese, English and Spanish, seconds, and whether they are paid.
type Usual = (&'static str, [&'static str; 3], Option<u32>, bool);

#[rustfmt::skip]
const PAUSES: &[Usual] = &[
    ("almoco", ["Almoço", "Lunch", "Almuerzo"], Some(3_600), false),
    ("descanso", ["Descanso", "Rest", "Descanso"], Some(600), true),
    ("pessoal", ["Pessoal", "Personal", "Personal"], Some(300), true),
    ("reuniao", ["Reunião", "Meeting", "Reunión"], None, true),
    ("treinamento", ["Treinamento", "Training", "Capacitación"], None, true),
    ("outro", ["Outro", "Other", "Otro"], None, true),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_has_its_pauses_in_its_language() {
        let names = |language| {
            let company = "a".parse().expect("an id");
            let all = pauses(&company, language, 1);
            assert_eq!(all.len(), PAUSES.len(), "every id is one");
            all[0].name.clone()
        };
        assert_eq!(
            ["pt-BR", "en", "es"].map(names),
            ["Almoço", "Lunch", "Almuerzo"]
        );
    }
}
