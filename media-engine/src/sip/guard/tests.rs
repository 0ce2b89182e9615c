use super::*;

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods)] // Only differences count.
    Instant::now()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn source(address: &str, proven: bool, standing: Standing) -> Source {
    Source {
        address: address.parse().expect("an address"),
        proven,
        standing,
    }
}

fn stranger(address: &str) -> Source {
    source(address, false, Standing::Stranger)
}

fn guard(start: Instant) -> Guard {
    Guard::new(start, Limits::default())
}

fn audits(guard: &mut Guard) -> Vec<Audit> {
    std::iter::from_fn(|| guard.poll_output()).collect()
}

/// Lets `source` fail until something is reported; returns how often that took.
fn fail_until_reported(guard: &mut Guard, now: Instant, source: &Source, failure: Failure) -> u32 {
    for count in 1.. {
        guard.record_failure(now, source, None, failure);
        if !guard.outputs.is_empty() {
            return count;
        }
    }
    unreachable!()
}

#[test]
fn a_stranger_is_answered_at_a_bounded_rate() {
    let start = origin();
    let mut guard = guard(start);
    let scanner = stranger("198.51.100.1");
    let admitted = |guard: &mut Guard, now| {
        (0..100)
            .filter(|_| guard.admit(now, &scanner, 400) == Admission::Admitted)
            .count()
    };
    assert_eq!(admitted(&mut guard, start), 60);
    assert_eq!(admitted(&mut guard, start + ms(99)), 0);
    assert_eq!(admitted(&mut guard, start + ms(1000)), 10);
    assert_eq!(admitted(&mut guard, start + ms(3_600_000)), 60);
    assert_eq!(guard.counters().dropped_source_too_fast, 40 + 100 + 90 + 40);
    assert_eq!(
        guard.admit(start, &stranger("198.51.100.2"), 400),
        Admission::Admitted,
        "a neighbour is another source"
    );
}

#[test]
fn an_ipv6_host_is_one_source_with_all_its_addresses() {
    let start = origin();
    let mut guard = guard(start);
    let admitted = (0..200)
        .filter(|n| {
            let scanner = stranger(&format!("2001:db8:1:2::{n:x}"));
            guard.admit(start, &scanner, 400) == Admission::Admitted
        })
        .count();
    assert_eq!(admitted, 60);
    let neighbour = stranger("2001:db8:1:3::1");
    assert_eq!(guard.admit(start, &neighbour, 400), Admission::Admitted);
}

#[test]
fn all_strangers_together_are_bounded_and_who_authenticated_before_is_not_starved() {
    let start = origin();
    let mut guard = guard(start);
    let office = stranger("192.0.2.10");
    guard.record_success(start, &office, "1001");
    let admitted = (0..5000_u32)
        .filter(|n| {
            let address = IpAddr::from((0xC633_6400 + n).to_be_bytes());
            let forged = Source {
                address,
                proven: false,
                standing: Standing::Stranger,
            };
            guard.admit(start, &forged, 400) == Admission::Admitted
        })
        .count();
    assert_eq!(admitted, 2000);
    assert_eq!(audits(&mut guard), [Audit::Flooded], "reported once");
    assert_eq!(guard.admit(start, &office, 400), Admission::Admitted);
    let new_phone = stranger("192.0.2.11");
    assert_eq!(
        guard.admit(start, &new_phone, 400),
        Admission::Dropped(Dropped::TooFast)
    );
    let trunk = source("203.0.113.1", false, Standing::Trunk);
    assert_eq!(guard.admit(start, &trunk, 400), Admission::Admitted);
}

#[test]
fn unproven_sources_get_no_more_bytes_than_they_sent_beyond_the_rate() {
    let start = origin();
    let mut guard = guard(start);
    let victim = stranger("198.51.100.1");
    let (mut received, mut sent) = (0_u64, 0_u64);
    for second in 0..600_u64 {
        for n in 0..20 {
            let now = start + ms(second * 1000 + n * 50);
            received += 60;
            if guard.admit(now, &victim, 60) == Admission::Admitted
                && guard.may_answer(now, &victim, 700)
            {
                sent += 700;
            }
        }
        let Rate { per_second, burst } = Limits::default().answer_bytes;
        let allowed = u64::from(burst) + (second + 1) * u64::from(per_second);
        assert!(
            sent <= received + allowed,
            "second {second}: {sent} for {received}"
        );
    }
    assert!(guard.counters().answers_withheld > 0);

    let connected = source("198.51.100.2", true, Standing::Stranger);
    assert!(
        guard.may_answer(start, &connected, 1_000_000),
        "nobody else gets these bytes"
    );
    let device = source("198.51.100.3", false, Standing::Device);
    assert!(guard.may_answer(start, &device, 1_000_000));
}

#[test]
fn patience_ends_after_so_many_failures_of_each_kind() {
    let start = origin();
    for (failure, expected) in [
        (Failure::Challenged, 51),
        (Failure::Malformed, 21),
        (Failure::Refused, 21),
        (Failure::WrongCredentials, 11),
    ] {
        let mut guard = guard(start);
        let scanner = stranger("198.51.100.1");
        assert_eq!(
            fail_until_reported(&mut guard, start, &scanner, failure),
            expected
        );
        assert!(guard.is_banned(start, scanner.address));
    }
}

#[test]
fn a_ban_expires_and_the_next_one_is_longer() {
    let start = origin();
    let mut guard = guard(start);
    let scanner = source("198.51.100.1", true, Standing::Stranger);
    let mut now = start;
    let mut lengths = vec![];
    for _ in 0..8 {
        fail_until_reported(&mut guard, now, &scanner, Failure::WrongCredentials);
        let reported = audits(&mut guard);
        let [
            Audit::SourceBanned {
                length,
                proven: true,
                ..
            },
        ] = reported[..]
        else {
            panic!("{reported:?}");
        };
        lengths.push(length.as_secs());
        let last_moment = now + length - ms(1);
        assert_eq!(
            guard.admit(last_moment, &scanner, 400),
            Admission::Dropped(Dropped::Banned)
        );
        now += length;
        assert_eq!(guard.admit(now, &scanner, 400), Admission::Admitted);
    }
    assert_eq!(lengths, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
    now += BAN_MEMORY;
    fail_until_reported(&mut guard, now, &scanner, Failure::WrongCredentials);
    assert!(guard.is_banned(now + ms(59_999), scanner.address));
    assert!(
        !guard.is_banned(now + ms(60_000), scanner.address),
        "forgiven after a day"
    );
}

#[test]
fn a_source_that_may_be_forged_is_banned_only_briefly() {
    let start = origin();
    let mut guard = guard(start);
    let forged = stranger("198.51.100.1");
    for round in 0..5 {
        let now = start + Duration::from_secs(30 * round);
        fail_until_reported(&mut guard, now, &forged, Failure::Refused);
        assert_eq!(audits(&mut guard).len(), 1);
        assert!(guard.is_banned(now + ms(29_999), forged.address));
        assert!(!guard.is_banned(now + ms(30_000), forged.address));
    }
}

#[test]
fn forged_datagrams_ban_no_trunk_and_no_registered_device() {
    let start = origin();
    let mut guard = guard(start);
    for standing in [Standing::Trunk, Standing::Device] {
        for proven in [false, true] {
            let spared = source("203.0.113.1", proven, standing);
            for _ in 0..100_000 {
                guard.record_failure(start, &spared, None, Failure::Refused);
            }
            assert!(!guard.is_banned(start, spared.address));
            assert_eq!(guard.admit(start, &spared, 400), Admission::Admitted);
            let reported = audits(&mut guard);
            assert!(
                matches!(reported[0], Audit::SourceSpared { standing: who, .. } if who == standing)
            );
        }
    }
    assert_eq!(guard.counters().bans, 0);
}

#[test]
fn a_device_registered_during_a_ban_is_let_in_at_once() {
    let start = origin();
    let mut guard = guard(start);
    fail_until_reported(&mut guard, start, &stranger("192.0.2.10"), Failure::Refused);
    let device = source("192.0.2.10", false, Standing::Device);
    assert_eq!(guard.admit(start, &device, 400), Admission::Admitted);
}

/// An office of 200 phones behind one address starts after a power cut: each is challenged once
/// and then authenticates. Nobody is banned.
#[test]
fn honest_phones_use_up_no_patience() {
    let start = origin();
    let mut guard = guard(start);
    let office = stranger("192.0.2.10");
    for phone in 0..200 {
        guard.record_failure(start, &office, None, Failure::Challenged);
        guard.record_success(start, &office, &format!("1{phone:03}"));
    }
    assert!(!guard.is_banned(start, office.address));
    assert_eq!(audits(&mut guard), []);
}

#[test]
fn wrong_passwords_slow_an_account_down_for_everybody_but_its_home() {
    let start = origin();
    let mut guard = guard(start);
    let home = stranger("192.0.2.10");
    guard.record_success(start, &home, "1001");
    let mut now = start;
    let mut waits = vec![];
    for attempt in 0..11_u8 {
        let guesser = stranger(&format!("198.51.100.{attempt}"));
        assert!(guard.is_account_open(now, &guesser, "1001"));
        guard.record_failure(now, &guesser, Some("1001"), Failure::WrongCredentials);
        for audit in audits(&mut guard) {
            let Audit::AccountSlowed {
                account, length, ..
            } = audit
            else {
                panic!("{audit:?}");
            };
            assert_eq!(account, "1001");
            waits.push(length.as_secs());
            assert!(!guard.is_account_open(now + length - ms(1), &guesser, "1001"));
            assert!(
                guard.is_account_open(now, &home, "1001"),
                "the phone itself is not locked out"
            );
            assert!(guard.is_account_open(now, &guesser, "1002"));
            now += length;
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    now += ACCOUNT_MEMORY + ms(1);
    guard.record_failure(
        now,
        &stranger("198.51.100.99"),
        Some("1001"),
        Failure::WrongCredentials,
    );
    assert_eq!(audits(&mut guard), [], "forgotten after an hour of quiet");
}

#[test]
fn attempts_that_did_not_count_prolong_no_wait() {
    let start = origin();
    let mut guard = guard(start);
    for n in 0..4_u8 {
        let guesser = stranger(&format!("198.51.100.{n}"));
        guard.record_failure(start, &guesser, Some("1001"), Failure::WrongCredentials);
    }
    let impatient = stranger("198.51.100.200");
    guard.record_failure(
        start + ms(500),
        &impatient,
        Some("1001"),
        Failure::WrongCredentials,
    );
    assert!(guard.is_account_open(start + ms(1000), &impatient, "1001"));
}

/// The guard is told a name and never asks whether it exists, so the answers cannot differ.
#[test]
fn known_and_unknown_accounts_are_treated_alike() {
    let start = origin();
    let run = |account: &str| {
        let mut guard = guard(start);
        let mut trail = vec![];
        for n in 0..40_u64 {
            let now = start + ms(n * 700);
            let guesser = source("198.51.100.7", true, Standing::Stranger);
            let admission = guard.admit(now, &guesser, 400);
            let open = guard.is_account_open(now, &guesser, account);
            guard.record_failure(now, &guesser, Some(account), Failure::WrongCredentials);
            trail.push((admission, open, guard.is_banned(now, guesser.address)));
        }
        trail
    };
    assert_eq!(run("1001"), run("no-such-user"));
}

#[test]
fn a_million_sources_and_names_need_bounded_memory() {
    let start = origin();
    let mut guard = guard(start);
    let bad = source("203.0.113.66", true, Standing::Stranger);
    fail_until_reported(&mut guard, start, &bad, Failure::WrongCredentials);
    for n in 0..1_000_000_u32 {
        let forged = Source {
            address: IpAddr::from((0x0A00_0000 + n).to_be_bytes()),
            proven: false,
            standing: Standing::Stranger,
        };
        guard.admit(start, &forged, 400);
        if n % 10 == 0 {
            let name = format!("{n}{}", "x".repeat(200));
            guard.record_failure(start, &forged, Some(&name), Failure::WrongCredentials);
        }
    }
    assert!(guard.entries() <= SOURCES_MAX + BANS_MAX + ACCOUNTS_MAX + HOMES_MAX);
    assert!(guard.sources.len() == SOURCES_MAX && guard.accounts.len() == ACCOUNTS_MAX);
    assert!(guard.outputs.len() <= AUDITS_MAX);
    assert!(
        guard.is_banned(start, bad.address),
        "the flood washed no ban away"
    );
}

#[test]
fn forged_bans_push_out_no_real_one() {
    let start = origin();
    let mut guard = guard(start);
    let bad = source("203.0.113.66", true, Standing::Stranger);
    fail_until_reported(&mut guard, start, &bad, Failure::WrongCredentials);
    audits(&mut guard);
    for n in 0..20_000_u32 {
        let network = Network::host(IpAddr::from((0x0A00_0000 + n).to_be_bytes()));
        guard.ban(start, network, false);
    }
    assert_eq!(guard.bans.len(), BANS_MAX);
    assert!(guard.is_banned(start, bad.address));
    assert!(
        guard.counters().audits_lost > 0,
        "the queue of audits is bounded too"
    );
}

#[test]
fn a_bucket_fills_by_whole_milliseconds_and_loses_no_part_of_one() {
    let start = origin();
    let rate = Rate {
        per_second: 1,
        burst: 1,
    };
    let mut bucket = Bucket::full(start, rate);
    assert!(bucket.take(start, rate, 1));
    // 999.9 ms in steps of 300 µs, then the rest.
    for step in 1..=3333 {
        assert!(!bucket.take(start + Duration::from_micros(300) * step, rate, 1));
    }
    assert!(bucket.take(start + ms(1000), rate, 1));
}
