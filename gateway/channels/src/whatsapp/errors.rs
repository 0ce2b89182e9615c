//! What WhatsApp's error codes mean: the table of Meta, which all providers pass on, and the few codes
//! that Gupshup, Zenvia and Twilio have of their own.

use serde_json::Value;

use crate::failure::{Advice, Failure, FailureClass};
use crate::json::{self, Fields};
use crate::send::Response;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) class: FailureClass,
    pub(crate) advice: Advice,
    /// No sooner, in milliseconds. 0 where the usual delay does.
    after_ms: u64,
    /// Not more often.
    retries_max: Option<u32>,
}

impl Meaning {
    /// What nobody knows is not tried again.
    pub(crate) const UNKNOWN: Self = permanent(Advice::Unknown);

    pub(crate) const fn new(class: FailureClass, advice: Advice) -> Self {
        Self {
            class,
            advice,
            after_ms: 0,
            retries_max: None,
        }
    }

    const fn after_ms(mut self, after_ms: u64) -> Self {
        self.after_ms = after_ms;
        self
    }

    const fn once(mut self) -> Self {
        self.retries_max = Some(1);
        self
    }

    pub(crate) fn failure(self, code: impl Into<String>, text: &str) -> Failure {
        let mut failure = Failure::new(self.class, self.advice, code, text);
        failure.retries_max = self.retries_max;
        if self.after_ms > 0 {
            failure = failure.after_ms(self.after_ms);
        }
        failure
    }
}

const fn permanent(advice: Advice) -> Meaning {
    Meaning::new(FailureClass::Permanent, advice)
}

const fn broken(advice: Advice) -> Meaning {
    Meaning::new(FailureClass::ChannelBroken, advice)
}

const fn retry(advice: Advice) -> Meaning {
    Meaning::new(FailureClass::Retry, advice)
}

/// What a code of Meta means; none where it is not known.
#[rustfmt::skip]
pub(crate) fn meta(code: i64) -> Option<Meaning> {
    Some(match code {
        0 | 190 => broken(Advice::TokenExpired),
        3 | 10 | 200..=299 | 131_005 => broken(Advice::PermissionMissing),
        4 | 80_007 | 130_429 => retry(Advice::TooFast).after_ms(2_000),
        131_056 => retry(Advice::TooFastToOne).after_ms(6_000),
        131_048 => permanent(Advice::SpamLimit),
        131_064 => permanent(Advice::TemplateViolations),
        131_049 => permanent(Advice::Withheld),
        131_050 => Meaning::new(FailureClass::BlockedByCustomer, Advice::MarketingStopped),
        131_047 => Meaning::new(FailureClass::NeedsTemplate, Advice::WindowClosed),
        131_026 => permanent(Advice::NotReachable),
        131_021 => permanent(Advice::SameNumber),
        131_030 | 131_063 => permanent(Advice::Setup),
        131_031 | 368 => broken(Advice::AccountLocked),
        131_037 | 131_045 | 133_016 => broken(Advice::Registration),
        131_042 => broken(Advice::Payment),
        131_051 => permanent(Advice::KindRefused),
        131_052 | 131_053 => retry(Advice::File).once(),
        131_008 | 131_009 | 100 => permanent(Advice::OurMistake),
        1 | 2 | 131_000 | 131_016 | 131_057 => retry(Advice::ProviderAway),
        131_060 => permanent(Advice::MessageGone),
        131_062 => permanent(Advice::PhoneNeeded),
        130_472 => permanent(Advice::Experiment),
        130_497 => permanent(Advice::Country),
        132_001 => permanent(Advice::TemplateMissing),
        132_000 | 132_005 | 132_012 => permanent(Advice::TemplateValues),
        132_007 | 132_015 | 132_016 => permanent(Advice::TemplateUnusable),
        135_000 => permanent(Advice::Unknown),
        137_000 => permanent(Advice::IdentityChanged),
        138_000..=138_018 => permanent(Advice::CallRefused),
        139_100..=139_103 => permanent(Advice::Blocked),
        _ => return None,
    })
}

/// What a code of Gupshup means; below 2000 they are its own, above Meta's.
#[rustfmt::skip]
pub(crate) fn gupshup(code: i64) -> Option<Meaning> {
    Some(match code {
        1_002 => permanent(Advice::NotReachable),
        1_003 => broken(Advice::Payment),
        1_004..=1_008 => Meaning::new(FailureClass::NeedsTemplate, Advice::WindowClosed),
        1_010 | 1_011 => permanent(Advice::File),
        _ => return meta(code),
    })
}

/// What a code of Twilio means.
#[rustfmt::skip]
pub(crate) fn twilio(code: i64) -> Option<Meaning> {
    Some(match code {
        20_003 => broken(Advice::TokenExpired),
        20_429 | 63_018 => retry(Advice::TooFast).after_ms(2_000),
        21_211 | 63_003 | 63_024 => permanent(Advice::NotReachable),
        21_610 => Meaning::new(FailureClass::BlockedByCustomer, Advice::MarketingStopped),
        21_617 => permanent(Advice::TooLong),
        63_005 => permanent(Advice::ContentRefused),
        63_007 => broken(Advice::Registration),
        63_010 | 63_012 => retry(Advice::ProviderAway),
        63_016 => Meaning::new(FailureClass::NeedsTemplate, Advice::WindowClosed),
        63_019 | 63_021 => permanent(Advice::File),
        63_032 => permanent(Advice::Experiment),
        63_049 => permanent(Advice::Withheld),
        _ => return None,
    })
}

/// Why a status says that a message failed.
pub(crate) fn of_status(status: &Value) -> Failure {
    let Some(error) = status.list("errors").first() else {
        return Meaning::UNKNOWN.failure("?", "failed without a reason");
    };
    let code = error.whole("code");
    let meaning = code.and_then(meta).unwrap_or(Meaning::UNKNOWN);
    let details = error.at("error_data").text("details");
    let title = error.text("title").or_else(|| error.text("message"));
    let text = details.or(title).unwrap_or_default();
    meaning.failure(code_text(code), &text)
}

/// Why Meta did not take a request. Its answer is `{"error": {code, message, fbtrace_id …}}`.
pub(crate) fn of_answer(response: &Response) -> Failure {
    let body = json::parse(&response.body).unwrap_or_default();
    let error = body.at("error");
    let code = error.whole("code");
    let transient = error
        .flag("is_transient")
        .then(|| retry(Advice::ProviderAway));
    let meaning = code.and_then(meta).or(transient);
    let details = error.at("error_data").text("details");
    let message = details
        .or_else(|| error.text("message"))
        .unwrap_or_default();
    let trace = error.text("fbtrace_id").unwrap_or_default();
    let text = format!("{message} [fbtrace_id {trace}]");
    match code {
        Some(_) => with_wait(
            response,
            known(response.status, meaning).failure(code_text(code), &text),
        ),
        None => of_http(response),
    }
}

/// Why a provider did not take a request, where only the status of HTTP tells.
pub(crate) fn of_http(response: &Response) -> Failure {
    let failure = known(response.status, None);
    let text = String::from_utf8_lossy(&response.body);
    with_wait(
        response,
        failure.failure(format!("http {}", response.status), &text),
    )
}

/// What is known from a code of the provider or, failing that, the status of HTTP.
pub(crate) fn known(status: u16, meaning: Option<Meaning>) -> Meaning {
    meaning.unwrap_or(match status {
        401 => broken(Advice::TokenExpired),
        402 => broken(Advice::Payment),
        403 => broken(Advice::PermissionMissing),
        413 => permanent(Advice::TooLong),
        429 => retry(Advice::TooFast).after_ms(2_000),
        400..=499 => permanent(Advice::Unknown),
        // Taken, by all that we can see, and without the id that would find it again.
        200..=299 => Meaning::new(FailureClass::Uncertain, Advice::OutcomeUnknown),
        // A machine between may have answered after the request went through.
        _ => Meaning::new(FailureClass::Uncertain, Advice::OutcomeUnknown),
    })
}

/// The failure, no sooner tried again than the answer asks.
pub(crate) fn with_wait(response: &Response, failure: Failure) -> Failure {
    match (failure.class, response.retry_after_ms) {
        (FailureClass::Retry, Some(asked)) => {
            let wait_ms = failure.retry_after_ms.unwrap_or(0).max(asked);
            failure.after_ms(wait_ms)
        }
        _ => failure,
    }
}

pub(crate) fn code_text(code: Option<i64>) -> String {
    code.map_or_else(|| "?".to_owned(), |code| code.to_string())
}
