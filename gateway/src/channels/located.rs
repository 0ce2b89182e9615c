//! Where files are that a channel tells of: at a link, or with its provider, who must be asked.

use std::sync::Arc;
use std::time::Duration;

use channels::connector::Fetch;
use channels::event::MediaSource;
use channels::failure::FailureClass;
use channels::send::{Method, Request};
use desk::id::ChannelId;
use gateway_net::fetch::{Fetcher, Limits, Unanswered};
use media_engine_net::clock;
use store::Store;

use super::attachments::{Locate, Locating, NotLocated};
use super::settings::{self, NotSetUp};
use crate::secrets::Secrets;

/// Asks providers by their connectors.
#[derive(Clone, Debug)]
pub struct Providers {
    /// The channels are there.
    pub store: Store,
    /// What opens their accounts.
    pub secrets: Arc<Secrets>,
    /// Asks.
    pub fetcher: Fetcher,
}

impl Locate for Providers {
    fn locate<'a>(
        &'a self,
        channel: Option<&'a ChannelId>,
        source: &'a MediaSource,
    ) -> Locating<'a> {
        Box::pin(self.find(channel, source))
    }
}

impl Providers {
    async fn find(
        &self,
        channel: Option<&ChannelId>,
        source: &MediaSource,
    ) -> Result<Request, NotLocated> {
        let Some(channel) = channel else {
            return plain(source);
        };
        let found = store::channels::of_work(self.store.pool(), channel).await;
        let found = found.map_err(|error| NotLocated::Later(error.to_string()))?;
        let found = found.ok_or_else(|| NotLocated::Never("channel_gone".to_owned()))?;
        let connector = match settings::connector(&found, &self.secrets) {
            Ok(connector) => connector,
            Err(NotSetUp::NoProvider) => return plain(source),
            // An administrator may mend it.
            Err(error) => return Err(NotLocated::Later(error.to_string())),
        };
        let fetch = connector.media(source);
        let asked = match fetch.map_err(|error| NotLocated::Never(error.to_string()))? {
            Fetch::File(request) => return Ok(request),
            Fetch::Locate(request) => request,
        };
        let now_ms = clock::wall().as_millisecond();
        let answer = self.fetcher.carry_out(&asked, LIMITS, now_ms).await;
        let answer = answer.map_err(|error| match error {
            Unanswered::NotSent(why) | Unanswered::Unknown(why) => {
                NotLocated::Later(format!("{why:?}"))
            }
        })?;
        connector
            .located(&answer)
            .map_err(|failure| match failure.class {
                FailureClass::Permanent => NotLocated::Never(failure.code),
                FailureClass::Retry
                | FailureClass::RetryWithNewToken
                | FailureClass::NeedsTemplate
                | FailureClass::BlockedByCustomer
                | FailureClass::ChannelBroken
                | FailureClass::Uncertain => NotLocated::Later(failure.code),
            })
    }
}

/// What is at a link is there for everybody who has it.
fn plain(source: &MediaSource) -> Result<Request, NotLocated> {
    match source {
        MediaSource::Url(url) => Ok(Request::new(Method::Get, url.clone())),
        MediaSource::Id(_) => Err(NotLocated::Never("no_link".to_owned())),
    }
}

/// Where a file is, is said in a few words.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    bytes: 256 * 1024,
};
