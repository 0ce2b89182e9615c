//! Who calls, or is called: looked for among the contacts while the record of the call is written.

use std::collections::HashMap;
use std::time::Duration;

use desk::id::CompanyId;
use desk::identity::Identity;
use desk::numbering::Place;
use desk::record::{Direction, InteractionOpened};
use desk::work::Customer;
use exchange::voice::CallKey;
use media_engine_net::clock;
use store::{Store, contacts};
use tokio::task::JoinHandle;

/// The look-ups that are under way.
#[derive(Debug)]
pub(super) struct Customers {
    store: Store,
    asked: HashMap<CallKey, Asked>,
}

/// A look-up that is under way.
pub(super) type Asked = JoinHandle<Option<Customer>>;

impl Customers {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            asked: HashMap::new(),
        }
    }

    /// Begins to look for the other side of a call. `country` is where numbers without a country are.
    pub(super) fn ask(&mut self, call: CallKey, opened: &InteractionOpened, country: &str) {
        let number = match opened.direction {
            Direction::Inbound => &opened.from,
            Direction::Outbound => &opened.to,
        };
        let place = Place {
            country,
            area: None,
        };
        // A withheld number, or an extension, is nobody's.
        let Ok(identity) = Identity::phone(number, place) else {
            return;
        };
        let (store, company) = (self.store.clone(), opened.company.clone());
        let asked = tokio::spawn(async move {
            let found = tokio::time::timeout(PATIENCE, find(&store, &company, &identity)).await;
            found.ok().flatten()
        });
        self.asked.insert(call, asked);
    }

    /// The look-up of a call, whose record is on its way to the disk.
    pub(super) fn take(&mut self, call: CallKey) -> Option<Asked> {
        self.asked.remove(&call)
    }
}

async fn find(store: &Store, company: &CompanyId, identity: &Identity) -> Option<Customer> {
    let since_ms = clock::wall().as_millisecond() - LAST_AGENT_MS;
    let found = contacts::known(store.pool(), company, identity, since_ms).await;
    let known = found
        .inspect_err(|error| tracing::warn!(%error, "a caller is taken for a stranger"))
        .ok()??;
    Some(Customer {
        contact: known.contact,
        name: known.name,
        priority: known.priority,
        owner: known.owner,
        owner_fallback: known.owner_fallback,
        last_agent: known.last_agent,
        blocked_in: known.blocked_in,
        blocked_out: known.blocked_out,
    })
}

/// A caller does not wait longer for an answer because a database is slow to say who they are.
const PATIENCE: Duration = Duration::from_millis(500);

/// So long ago an agent may have had a customer and still be the one they know: a quarter of a year.
pub(crate) const LAST_AGENT_MS: i64 = 90 * 24 * 3_600_000;
