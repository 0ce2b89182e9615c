//! Work that many want at once and one does.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

/// What is being done, by what it gives. Only what somebody waits for is in here.
#[derive(Debug)]
pub struct Flights<K: Eq + Hash, T>(Mutex<HashMap<K, Arc<OnceCell<T>>>>);

impl<K: Eq + Hash, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, T: Clone> Flights<K, T> {
    /// What `work` gives; or, when somebody does the work for `key` already, what that gives.
    ///
    /// When the one who works goes away, one of those who wait begins anew.
    pub async fn join(&self, key: K, work: impl Future<Output = T>) -> T {
        let seat = Seat::take(self, key);
        seat.flight.get_or_init(|| work).await.clone()
    }
}

impl<K: Eq + Hash, T> Flights<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceCell<T>>>> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits; the last one out takes the flight with them.
struct Seat<'a, K: Eq + Hash, T> {
    flights: &'a Flights<K, T>,
    key: K,
    flight: Arc<OnceCell<T>>,
}

impl<'a, K: Eq + Hash + Clone, T> Seat<'a, K, T> {
    fn take(flights: &'a Flights<K, T>, key: K) -> Self {
        let flight = flights.lock().entry(key.clone()).or_default().clone();
        Self {
            flights,
            key,
            flight,
        }
    }
}

impl<K: Eq + Hash, T> Drop for Seat<'_, K, T> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // Our share goes under the lock, or two who leave at once would each see the other.
        drop(std::mem::take(&mut self.flight));
        if flights
            .get(&self.key)
            .is_some_and(|flight| Arc::strong_count(flight) == 1)
        {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn who_wants_the_same_at_once_gets_it_from_one() {
        let flights = Flights::<&str, u32>::default();
        let (begun, done) = (Cell::new(0), Notify::new());
        let work = async |result: u32| {
            begun.set(begun.get() + 1);
            done.notified().await;
            result
        };
        let land = async {
            tokio::task::yield_now().await;
            done.notify_waiters();
        };
        let (one, two, other, ()) = tokio::join!(
            flights.join("a", work(1)),
            flights.join("a", work(2)),
            flights.join("b", work(3)),
            land,
        );
        assert_eq!((one, two, other, begun.get()), (1, 1, 3, 2));
        assert!(flights.lock().is_empty());
        let later = flights.join("a", async { 4 }).await;
        assert_eq!(later, 4, "nothing is remembered");
    }

    #[tokio::test]
    async fn who_waits_takes_over_from_one_who_went_away() {
        let flights = Flights::<&str, u32>::default();
        let mut never = Box::pin(flights.join("a", std::future::pending()));
        tokio::select! {
            biased;
            _ = &mut never => unreachable!("it never ends"),
            () = std::future::ready(()) => {}
        }
        let waits = flights.join("a", async { 2 });
        let leave = async {
            tokio::task::yield_now().await;
            drop(never);
        };
        let (two, ()) = tokio::join!(waits, leave);
        assert_eq!(two, 2);
        assert!(flights.lock().is_empty());
    }
}
