//! What SMTP servers answer, and what follows from it.
//!
//! Servers say the same with many codes. The status of RFC 3463 is believed before the reply code of
//! RFC 5321, and both mean other things at other points of the conversation: `550` to our name is
//! our fault, `550` to a recipient is not.

use super::report::{Action, Recipient};
use crate::failure::{Advice, Failure, FailureClass};

/// How far the conversation with a server was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The connection, its greeting, `EHLO` and TLS.
    Greeting,
    /// `AUTH`.
    Login,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, before anything of the mail was sent.
    Data,
    /// The mail was sent, its last line too.
    Sent,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The reply code (RFC 5321 section 4.2).
    pub code: u16,
    /// The status (RFC 3463), if it gave one.
    pub status: Option<[u16; 3]>,
    /// Its words, on one line.
    pub text: String,
}

impl Answer {
    /// Reads the lines of an answer. None if it is none.
    pub fn parse(lines: &str) -> Option<Self> {
        let mut answer: Option<Self> = None;
        for line in lines.lines().take(LINES_MAX) {
            let code = line.get(..3)?;
            if !code.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let code: u16 = code.parse().ok().filter(|code| (200..600).contains(code))?;
            let words = line.get(4..).unwrap_or_default();
            let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
            let status = status(first);
            let words = if status.is_some() { rest } else { words };
            let answer = answer.get_or_insert(Self {
                code,
                status,
                text: String::new(),
            });
            answer.status = answer.status.or(status);
            answer.text = super::mime::one_line(&format!("{} {words}", answer.text));
        }
        answer
    }

    /// Whether it is a yes (2xx), or the wish for more (3xx).
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// The code and the status as one word, for the log and for support.
    fn name(&self) -> String {
        match self.status {
            Some([a, b, c]) => format!("{} {a}.{b}.{c}", self.code),
            None => self.code.to_string(),
        }
    }
}

fn status(word: &str) -> Option<[u16; 3]> {
    let mut numbers = word.split('.').map(|number| {
        let digits = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| number.parse::<u16>().ok()).flatten()
    });
    let status = [numbers.next()??, numbers.next()??, numbers.next()??];
    (numbers.next().is_none() && matches!(status[0], 2 | 4 | 5)).then_some(status)
}

/// What follows from a no. With `token` the log-in is by a token that can be renewed (OAuth2).
pub fn failure(stage: Stage, answer: &Answer, token: bool) -> Failure {
    let (class, advice) = judge(stage, answer, token);
    let failure = Failure::new(class, advice, answer.name(), &answer.text);
    match (class, answer.status) {
        (FailureClass::Retry, Some([_, 4, 5] | [_, 2, 121])) => failure.after_ms(QUOTA_MS),
        (FailureClass::Retry, Some([_, 2, 2] | [_, 3, 1])) => failure.after_ms(FULL_MS),
        (FailureClass::Retry, _) => failure.after_ms(GREYLIST_MS),
        (_, _) => failure,
    }
}

/// The connection ended, or nothing came in time. Once the last line of the mail was sent nobody knows
/// whether it was taken (RFC 5321 section 4.5.3.2.6).
pub fn lost(stage: Stage, text: &str) -> Failure {
    match stage {
        Stage::Sent => Failure::no_answer(),
        Stage::Greeting | Stage::Login | Stage::Sender | Stage::Recipient | Stage::Data => {
            Failure::not_connected(text)
        }
    }
}

/// What follows from a report that a mail did not arrive. None of one that is only late, or arrived.
pub fn of_report(recipient: &Recipient) -> Option<Failure> {
    if recipient.action != Action::Failed {
        return None;
    }
    // Reports tell of the end: what was to be tried again was, for days.
    let status = status(&recipient.status).map(|[_, b, c]| [5, b, c]);
    let answer = Answer {
        code: 550,
        status,
        text: recipient.diagnostic.clone(),
    };
    let (_, advice) = judge(Stage::Recipient, &answer, false);
    Some(Failure::new(
        FailureClass::Permanent,
        advice,
        recipient.status.clone(),
        &recipient.diagnostic,
    ))
}

fn judge(stage: Stage, answer: &Answer, token: bool) -> (FailureClass, Advice) {
    use FailureClass::{ChannelBroken, Permanent, Retry};
    if let Some(judged) = by_words(answer) {
        return judged;
    }
    let temporary = (400..500).contains(&answer.code);
    match (stage, answer.status, answer.code) {
        (Stage::Login, _, _) if temporary => (Retry, Advice::ProviderAway),
        (Stage::Login, _, _) if token => (FailureClass::RetryWithNewToken, Advice::TokenExpired),
        (Stage::Login, _, _) => (ChannelBroken, Advice::LoginRefused),
        // Quotas, whatever the first digit: they end by themselves.
        (_, Some([_, 4, 5] | [_, 2, 121]), _) => (Retry, Advice::TooFast),
        (_, Some([_, 2, 2]), _) if temporary => (Retry, Advice::MailboxFull),
        (_, _, _) if temporary => (Retry, Advice::ProviderAway),
        (_, Some([_, 2, 2]), _) => (Permanent, Advice::MailboxFull),
        (_, Some([_, 1, 0..=6 | 10] | [_, 2, 1] | [_, 4, 4]), _) if stage >= Stage::Recipient => {
            (Permanent, Advice::AddressUnknown)
        }
        (_, Some([_, 3, 4] | [_, 2, 3]), _) => (Permanent, Advice::File),
        (_, Some([_, 7, 26..=29 | 60]), _) | (Stage::Sender, Some([_, 1 | 7, _]), _) => {
            (ChannelBroken, Advice::SenderRefused)
        }
        (_, Some([_, 7, _]), 530) | (_, _, 530 | 538) => (ChannelBroken, Advice::Setup),
        (_, Some([_, 7, _] | [_, 6, _]), _) => (Permanent, Advice::ContentRefused),
        (_, Some([_, 5, _]), _) | (_, None, 500..=504 | 555) => (Permanent, Advice::OurMistake),
        (Stage::Greeting, _, _) => (ChannelBroken, Advice::Setup),
        (_, _, 552) => (Permanent, Advice::File), // `SIZE=` is told with the sender (RFC 1870).
        (Stage::Sender, _, _) => (ChannelBroken, Advice::SenderRefused),
        (Stage::Recipient, _, 550 | 551 | 553) => (Permanent, Advice::AddressUnknown),
        (_, _, 550 | 554) => (Permanent, Advice::ContentRefused),
        (_, _, _) => (Permanent, Advice::Unknown),
    }
}

/// Where providers say by words what no code says.
fn by_words(answer: &Answer) -> Option<(FailureClass, Advice)> {
    let text = answer.text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    let no_passwords = matches!(answer.status, Some([5, 7, 30 | 139]))
        || says(&[
            "basic authentication is not supported",
            "basic authentication is disabled",
            "application-specific password required",
        ]);
    if no_passwords {
        return Some((FailureClass::ChannelBroken, Advice::PasswordLoginOff));
    }
    if says(&[
        "relay access denied",
        "relaying denied",
        "unable to relay",
        "relay not permitted",
    ]) {
        return Some((FailureClass::ChannelBroken, Advice::Setup));
    }
    let many = answer.code < 500 || says(&["daily", "quota exceeded"]);
    if many
        && says(&[
            "too many",
            "rate limit",
            "sending quota",
            "sending limit",
            "throttl",
        ])
    {
        return Some((FailureClass::Retry, Advice::TooFast));
    }
    let full = says(&[
        "mailbox full",
        "mailbox is full",
        "over quota",
        "caixa postal cheia",
        "caixa cheia",
        "buzón lleno",
        "buzon lleno",
    ]);
    full.then(|| {
        let class = if answer.code < 500 {
            FailureClass::Retry
        } else {
            FailureClass::Permanent
        };
        (class, Advice::MailboxFull)
    })
}

/// Servers that ask for patience let the second try in after 5 minutes.
const GREYLIST_MS: u64 = 5 * 60_000;
/// Nobody empties a mailbox within minutes.
const FULL_MS: u64 = 60 * 60_000;
/// Quotas are by the hour and the day.
const QUOTA_MS: u64 = 60 * 60_000;
/// Long answers have 10.
const LINES_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(stage: Stage, lines: &str) -> (FailureClass, Advice) {
        let answer = Answer::parse(lines).expect("an answer");
        let failure = failure(stage, &answer, false);
        (failure.class, failure.advice)
    }

    #[test]
    fn answers_are_read_over_their_lines() {
        let answer = Answer::parse(
            "550-5.1.1 The email account\r\n550-5.1.1 does not\r\n550 5.1.1 exist\r\n",
        );
        assert_eq!(
            answer,
            Some(Answer {
                code: 550,
                status: Some([5, 1, 1]),
                text: "The email account does not exist".to_owned()
            })
        );
        let plain = Answer::parse("421 closing").expect("an answer");
        assert_eq!((plain.status, plain.text.as_str()), (None, "closing"));
        assert!(Answer::parse("250 ok").is_some_and(|answer| answer.is_positive()));
        for none in ["", "oi", "99 x", "700 x", "2x0", "é50 x", "+50 x"] {
            assert_eq!(Answer::parse(none), None, "{none}");
        }
        assert_eq!(
            Answer::parse("550 1.2.3.4 blocked").and_then(|answer| answer.status),
            None
        );
    }

    #[test]
    fn what_servers_say_becomes_what_people_can_do() {
        use FailureClass::{ChannelBroken, Permanent, Retry};
        #[rustfmt::skip]
        let rows = [
            (Stage::Greeting, "421 4.3.2 Service not available", Retry, Advice::ProviderAway),
            (Stage::Greeting, "554 5.7.1 Your address is on a list", Permanent, Advice::ContentRefused),
            (Stage::Greeting, "530 5.7.0 Must issue a STARTTLS command first", ChannelBroken, Advice::Setup),
            (Stage::Login, "535-5.7.8 Username and Password not accepted", ChannelBroken, Advice::LoginRefused),
            (Stage::Login, "454 4.7.0 Temporary authentication failure", Retry, Advice::ProviderAway),
            (Stage::Login, "535 5.7.139 Authentication unsuccessful", ChannelBroken, Advice::PasswordLoginOff),
            (Stage::Sender, "550 5.7.30 Basic authentication is not supported for Client Submission", ChannelBroken, Advice::PasswordLoginOff),
            (Stage::Sender, "553 5.7.1 Sender address rejected: not owned by user", ChannelBroken, Advice::SenderRefused),
            (Stage::Sent, "554 5.7.60 SMTP; Client does not have permissions to send as this sender", ChannelBroken, Advice::SenderRefused),
            (Stage::Sent, "550 5.7.26 This mail is unauthenticated", ChannelBroken, Advice::SenderRefused),
            (Stage::Recipient, "550 5.1.1 User unknown", Permanent, Advice::AddressUnknown),
            (Stage::Recipient, "550 No such user here", Permanent, Advice::AddressUnknown),
            (Stage::Recipient, "550 5.1.2 Domain not found", Permanent, Advice::AddressUnknown),
            (Stage::Recipient, "550 5.4.4 no route to host", Permanent, Advice::AddressUnknown),
            (Stage::Recipient, "450 4.7.1 Greylisted, try again", Retry, Advice::ProviderAway),
            (Stage::Recipient, "554 5.7.1 <a@b.example>: Relay access denied", ChannelBroken, Advice::Setup),
            (Stage::Recipient, "452 4.2.2 over quota", Retry, Advice::MailboxFull),
            (Stage::Recipient, "552 5.2.2 Mailbox full", Permanent, Advice::MailboxFull),
            (Stage::Recipient, "552 Caixa postal cheia", Permanent, Advice::MailboxFull),
            (Stage::Recipient, "451 4.4.2 too many connections", Retry, Advice::TooFast),
            (Stage::Sender, "550 5.4.5 Daily user sending quota exceeded", Retry, Advice::TooFast),
            (Stage::Sent, "552 5.3.4 Message size exceeds fixed limit", Permanent, Advice::File),
            (Stage::Sender, "552 message too big", Permanent, Advice::File),
            (Stage::Sent, "552 5.2.3 too large", Permanent, Advice::File),
            (Stage::Sent, "554 5.6.0 looks like spam", Permanent, Advice::ContentRefused),
            (Stage::Sent, "550 blocked for spam", Permanent, Advice::ContentRefused),
            (Stage::Data, "503 5.5.1 Bad sequence", Permanent, Advice::OurMistake),
            (Stage::Recipient, "501 5.1.3 Bad recipient address syntax", Permanent, Advice::AddressUnknown),
            (Stage::Sent, "571 what", Permanent, Advice::Unknown),
        ];
        for (stage, lines, class, advice) in rows {
            assert_eq!(judged(stage, lines), (class, advice), "{stage:?} {lines}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_the_channel_is_called_broken() {
        let answer = Answer::parse("535 5.7.8 token expired").expect("an answer");
        assert_eq!(
            failure(Stage::Login, &answer, true).class,
            FailureClass::RetryWithNewToken
        );
        assert_eq!(
            failure(Stage::Login, &answer, false).class,
            FailureClass::ChannelBroken
        );
    }

    #[test]
    fn a_second_try_waits_as_long_as_its_reason() {
        let after = |lines| {
            failure(
                Stage::Recipient,
                &Answer::parse(lines).expect("an answer"),
                false,
            )
            .retry_after_ms
        };
        assert_eq!(after("450 4.7.1 Greylisted"), Some(300_000));
        assert_eq!(after("452 4.2.2 over quota"), Some(3_600_000));
        assert_eq!(
            after("550 5.4.5 Daily user sending quota exceeded"),
            Some(3_600_000)
        );
        assert_eq!(after("550 5.1.1 unknown"), None);
    }

    #[test]
    fn only_a_mail_that_was_sent_whole_may_have_arrived() {
        assert_eq!(lost(Stage::Sent, "reset").class, FailureClass::Uncertain);
        for stage in [
            Stage::Greeting,
            Stage::Login,
            Stage::Sender,
            Stage::Recipient,
            Stage::Data,
        ] {
            assert_eq!(lost(stage, "reset").class, FailureClass::Retry);
        }
    }

    #[test]
    fn a_report_is_final_and_says_why() {
        let recipient = |action, status: &str| Recipient {
            address: "a@example.com".to_owned(),
            action,
            status: status.to_owned(),
            diagnostic: "words".to_owned(),
            remote: None,
        };
        let told = |action, status| {
            of_report(&recipient(action, status)).map(|failure| (failure.class, failure.advice))
        };
        assert_eq!(
            told(Action::Failed, "5.1.1"),
            Some((FailureClass::Permanent, Advice::AddressUnknown))
        );
        assert_eq!(
            told(Action::Failed, "4.4.7"),
            Some((FailureClass::Permanent, Advice::AddressUnknown))
        );
        assert_eq!(
            told(Action::Failed, "4.2.2"),
            Some((FailureClass::Permanent, Advice::MailboxFull))
        );
        assert_eq!(told(Action::Delayed, "4.2.2"), None);
        assert_eq!(told(Action::Delivered, "2.0.0"), None);
    }
}
