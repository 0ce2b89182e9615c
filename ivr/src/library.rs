//! What a company has published, as the machine reads it while a call walks.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::hours::Calendar;
use crate::{CalendarId, Flow, FlowId};

/// The published flows and calendars of one company.
///
/// It never changes: publishing makes another one, and calls that walk keep the one they began
/// with, so that no caller is moved to another menu in the middle of a sentence.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// The flows that a call may begin in or go to.
    pub flows: BTreeMap<FlowId, Arc<Flow>>,
    /// The calendars that flows name.
    pub calendars: BTreeMap<CalendarId, Arc<Calendar>>,
}
