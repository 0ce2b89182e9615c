//! What the shell tells of the carriers by which calls leave.

use desk::id::TrunkId;
use desk::record::OutboundCall;
use ivr::Now;

use super::Voice;

impl Voice {
    /// Takes what is remembered of the calls of today that left by carriers. To be called once,
    /// behind the first directory.
    pub fn restore_outbound(&mut self, now: Now, calls: &[OutboundCall]) {
        let directory = self.shared.directory.clone();
        for call in calls {
            if let Some(company) = directory.companies.get(&call.company) {
                self.shared.usage.restore(now, &company.zone, call);
            }
        }
    }

    /// A carrier does not answer when it is asked whether it lives, or does again: it is tried last
    /// as long as it does not.
    pub fn handle_carrier(&mut self, trunk: &TrunkId, is_silent: bool) {
        self.shared.usage.set_silent(trunk, is_silent);
    }
}
