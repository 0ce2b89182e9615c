//! What tests do with customers' telephones, and how they wait for what comes of it.

use std::time::Duration;

use super::Simulator;
use crate::provider::Provider;
use crate::world::{Act, Cannot, Content, Message, World};

/// The hand of a customer on their telephone.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    simulator: &'a Simulator,
    provider: Provider,
    customer: &'a str,
}

/// Something that was waited for did not happen.
#[derive(Debug, thiserror::Error)]
#[error("{what} did not happen within {} s; messages: {messages}; on the wire: {wire}", WAIT.as_secs())]
pub struct TimedOut {
    what: String,
    messages: String,
    wire: String,
}

impl Simulator {
    /// The hand of a customer who has the company's number at a provider.
    pub fn customer<'a>(&'a self, provider: Provider, customer: &'a str) -> Hand<'a> {
        Hand {
            simulator: self,
            provider,
            customer,
        }
    }

    /// Waits until something is so.
    ///
    /// # Errors
    ///
    /// [`TimedOut`], with what there is instead.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        mut is_so: impl FnMut(&World) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let mut version = self.shared.version.subscribe();
        let found = tokio::time::timeout(WAIT, async {
            loop {
                version.mark_unchanged();
                if let Some(found) = is_so(&self.shared.world()) {
                    return found;
                }
                if version.changed().await.is_err() {
                    // The simulator is gone: nothing will ever change.
                    std::future::pending::<()>().await;
                }
            }
        });
        found.await.map_err(|_| {
            self.with(|world, _| TimedOut {
                what: what.to_owned(),
                messages: last(world.messages().iter()),
                wire: last(world.exchanges(0)),
            })
        })
    }
}

fn last<T: std::fmt::Debug>(all: impl Iterator<Item = T>) -> String {
    let all: Vec<T> = all.collect();
    let shown = &all[all.len().saturating_sub(SHOWN)..];
    format!("{shown:#?}")
}

impl Hand<'_> {
    /// Does something. Returns the number of the message that came of it, if one did.
    ///
    /// # Errors
    ///
    /// [`Cannot`].
    pub fn does(&self, act: Act) -> Result<Option<u64>, Cannot> {
        self.simulator
            .with(|world, now_ms| world.act(now_ms, self.provider, self.customer, act))
    }

    /// Writes words. Returns the number of the message.
    ///
    /// # Errors
    ///
    /// [`Cannot`] where there is no such customer.
    pub fn writes(&self, text: &str) -> Result<u64, Cannot> {
        self.sends(Content::words(text))
    }

    /// Sends something. Returns the number of the message.
    ///
    /// # Errors
    ///
    /// [`Cannot`].
    pub fn sends(&self, content: Content) -> Result<u64, Cannot> {
        let act = Act::Write {
            content,
            reply_to: None,
            forwarded: false,
            from_ad: false,
        };
        self.does(act).map(Option::unwrap_or_default)
    }

    /// Answers a message with words.
    ///
    /// # Errors
    ///
    /// [`Cannot`].
    pub fn replies(&self, to: u64, text: &str) -> Result<u64, Cannot> {
        let act = Act::Write {
            content: Content::words(text),
            reply_to: Some(to),
            forwarded: false,
            from_ad: false,
        };
        self.does(act).map(Option::unwrap_or_default)
    }

    /// Chooses one of the answers below a message.
    ///
    /// # Errors
    ///
    /// [`Cannot`].
    pub fn presses(&self, message: u64, option: &str) -> Result<u64, Cannot> {
        let option = option.to_owned();
        self.does(Act::Press { message, option })
            .map(Option::unwrap_or_default)
    }

    /// Looks at what came.
    ///
    /// # Errors
    ///
    /// [`Cannot`] where there is no such customer.
    pub fn reads(&self) -> Result<(), Cannot> {
        self.does(Act::Read).map(|_| ())
    }

    /// What stands on the telephone, from both sides.
    pub fn sees(&self) -> Vec<Message> {
        self.simulator.with(|world, _| {
            let messages = world.between(self.provider, self.customer);
            messages.cloned().collect()
        })
    }

    /// Waits for a message of the company's that is as asked.
    ///
    /// # Errors
    ///
    /// [`TimedOut`].
    pub async fn gets(&self, is_it: impl Fn(&Message) -> bool) -> Result<Message, TimedOut> {
        let what = format!("a message to {} by {}", self.customer, self.provider.name());
        self.simulator
            .wait_for(&what, |world| {
                let mut messages = world.between(self.provider, self.customer);
                messages
                    .find(|message| message.is_ours() && is_it(message))
                    .cloned()
            })
            .await
    }
}

/// Everything that is waited for takes milliseconds; a machine under load takes longer.
const WAIT: Duration = Duration::from_secs(20);

/// What is shown of what there is instead.
const SHOWN: usize = 8;
