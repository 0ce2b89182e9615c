//! Failed log-ins are counted, by account and by address.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use media_engine_net::clock;

use super::App;
use super::problem::Problem;

/// The failures of a while. An account that does not exist is counted like one that does.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: BTreeMap<String, Failed>,
}

#[derive(Debug)]
struct Failed {
    times: u32,
    until: Instant,
}

/// What an attempt is counted for.
pub(super) struct Source<'a> {
    pub(super) account: &'a str,
    pub(super) address: &'a str,
}

impl App {
    /// Counts an attempt, or says how long to wait before the next. One that succeeds is to be told by
    /// [`App::attempt_succeeded`].
    pub(super) fn begin_attempt(&self, source: &Source<'_>) -> Result<(), Problem> {
        let mut attempts = self.attempts();
        let now = clock::now();
        if let Some(wait) = attempts.wait(now, source) {
            return Err(Problem::too_many(wait.as_secs() + 1));
        }
        attempts.begin(now, source);
        Ok(())
    }

    /// Who knows the secret has not guessed it.
    pub(super) fn attempt_succeeded(&self, source: &Source<'_>) {
        self.attempts().succeeded(source);
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    /// How long to wait before the next attempt, if that is not now.
    pub(super) fn wait(&self, now: Instant, source: &Source<'_>) -> Option<Duration> {
        let over = |key: String, max: u32| {
            let failed = self.failed.get(&key).filter(|failed| failed.times >= max)?;
            failed
                .until
                .checked_duration_since(now)
                .filter(|left| !left.is_zero())
        };
        let account = over(account(source), PER_ACCOUNT_MAX);
        let address = over(address(source), PER_ADDRESS_MAX);
        account.max(address)
    }

    /// Counts an attempt before its password is looked at, so that many at once count too.
    pub(super) fn begin(&mut self, now: Instant, source: &Source<'_>) {
        if self.failed.len() >= COUNTED_MAX {
            self.failed.retain(|_, failed| failed.until > now);
        }
        for key in [account(source), address(source)] {
            if self.failed.len() >= COUNTED_MAX && !self.failed.contains_key(&key) {
                continue;
            }
            let failed = self.failed.entry(key).or_insert(Failed {
                times: 0,
                until: now + WINDOW,
            });
            if failed.until <= now {
                *failed = Failed {
                    times: 0,
                    until: now + WINDOW,
                };
            }
            failed.times = failed.times.saturating_add(1);
        }
    }

    /// The password was right: the account begins anew, the address gets its attempt back.
    pub(super) fn succeeded(&mut self, source: &Source<'_>) {
        self.failed.remove(&account(source));
        if let Some(failed) = self.failed.get_mut(&address(source)) {
            failed.times = failed.times.saturating_sub(1);
        }
    }
}

fn account(source: &Source<'_>) -> String {
    // Whoever sends megabytes as an address is counted by the beginning of it.
    let name: String = source.account.to_lowercase().chars().take(254).collect();
    format!("account {name}")
}

fn address(source: &Source<'_>) -> String {
    format!("address {}", source.address)
}

/// Wrong passwords of one account in a [`WINDOW`]: more than a person forgets.
const PER_ACCOUNT_MAX: u32 = 10;

/// Wrong passwords from one address in a [`WINDOW`]: an office behind one router.
const PER_ADDRESS_MAX: u32 = 50;

const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Accounts and addresses counted at once: some megabytes.
const COUNTED_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_wrong_password_waits_and_a_right_one_begins_anew() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        let source = Source {
            account: "A@b.example",
            address: "192.0.2.1",
        };
        for _ in 0..PER_ACCOUNT_MAX {
            assert_eq!(attempts.wait(start, &source), None);
            attempts.begin(start, &source);
        }
        assert_eq!(attempts.wait(start, &source), Some(WINDOW));
        let spelled = Source {
            account: "a@B.example",
            address: "192.0.2.2",
        };
        assert!(
            attempts.wait(start, &spelled).is_some(),
            "an account has one spelling"
        );
        assert_eq!(attempts.wait(start + WINDOW, &source), None);
        attempts.succeeded(&source);
        assert_eq!(attempts.wait(start, &source), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_too() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        for number in 0..PER_ADDRESS_MAX {
            let account = format!("{number}@b.example");
            attempts.begin(
                start,
                &Source {
                    account: &account,
                    address: "192.0.2.1",
                },
            );
        }
        let fresh = Source {
            account: "new@b.example",
            address: "192.0.2.1",
        };
        assert!(attempts.wait(start, &fresh).is_some());
        assert!(
            attempts
                .wait(
                    start,
                    &Source {
                        address: "192.0.2.9",
                        ..fresh
                    }
                )
                .is_none()
        );
    }
}
