//! Webhooks that are not taken.

use ramal_sim::Provider;
use ramal_sim::world::Pace;

use crate::company::{Company, NOON_MS};

const DAY_MS: i64 = 86_400_000;

/// When a webhook came that nobody takes, in seconds.
fn tries(provider: Provider, answers: Option<u16>) -> Vec<i64> {
    let mut company = Company::new(Pace::AT_ONCE);
    company.answers = answers;
    company.writes(provider, "marina", "Oi");
    company.pass(10 * DAY_MS);
    assert_eq!(company.world.under_way(), 0, "{provider:?} never gives up");
    let told = company.told.iter();
    told.map(|told| (told.at_ms - NOON_MS) / 1_000).collect()
}

#[test]
fn meta_tries_again_with_growing_gaps_for_seven_days() {
    let tries = tries(Provider::Cloud, Some(500));
    assert_eq!(tries[..7], [0, 5, 15, 35, 75, 155, 315]);
    let last_s = *tries.last().expect("tries");
    assert!((6 * 86_400..=7 * 86_400).contains(&last_s), "{last_s}");
}

#[test]
fn each_provider_gives_up_in_its_own_time() {
    let last_s = |provider| tries(provider, None).last().copied().expect("tries");
    assert!(last_s(Provider::Dialog360) > 6 * 86_400);
    assert!(last_s(Provider::Gupshup) <= 86_400);
    assert!(last_s(Provider::Zenvia) <= 86_400);
    assert_eq!(tries(Provider::Twilio, None), [0, 1]);
    assert_eq!(tries(Provider::Twilio, Some(500)), [0]);
}

#[test]
fn one_that_is_not_taken_does_not_hold_up_the_next() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.answers = None;
    company.writes(Provider::Cloud, "marina", "um");
    company.answers = Some(200);
    company.writes(Provider::Cloud, "marina", "dois");
    assert_eq!(company.told.len(), 2);
    let waiting: Vec<_> = company
        .world
        .retried()
        .map(|(provider, _, attempts, due_ms)| (provider, attempts, due_ms))
        .collect();
    assert_eq!(waiting, [(Provider::Cloud, 1, Some(NOON_MS + 5_000))]);
    // Whoever does not want to wait says so.
    company.world.hurry(company.now_ms);
    company.settle();
    assert_eq!((company.told.len(), company.world.under_way()), (3, 0));
}

#[test]
fn without_a_webhook_nothing_is_told_and_the_message_says_so() {
    let mut company = Company::new(Pace::AT_ONCE);
    company.world.set_webhook(Provider::Cloud, None);
    let id = company.writes(Provider::Cloud, "marina", "Oi");
    assert!(company.message(id).untold);
    assert_eq!(company.world.under_way(), 0);
}
