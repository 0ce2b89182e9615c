//! What the desk tells its owner, and what it refuses.

use crate::change::{Change, OfferEnd, PauseReason, Presence};
use crate::decision::OfferId;
use crate::disposition::{Action, Disposed, DispositionError};
use crate::id::{InteractionId, ServiceId, UserId, WorkId};
use crate::words;
use crate::work::Medium;

/// What the desk tells its owner, in order. Times are milliseconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// To be durable before anything behind it is performed. All saves of a turn stand before its
    /// other outputs.
    Save(Change),
    /// Ring the agent, or show them the work. Ends with one [`Output::OfferEnded`].
    Offered {
        /// The offer to answer.
        offer: OfferId,
        /// What is offered.
        work: WorkId,
        /// To whom.
        agent: UserId,
        /// When it lapses.
        until_ms: i64,
    },
    /// Stop ringing; or, when it was accepted, connect the customer.
    OfferEnded {
        /// Which offer.
        offer: OfferId,
        /// What was offered.
        work: WorkId,
        /// To whom.
        agent: UserId,
        /// Why it ended.
        end: OfferEnd,
    },
    /// A wait in a service's line is over.
    WaitEnded {
        /// Whose.
        work: WorkId,
        /// In which line.
        service: ServiceId,
        /// How long, in milliseconds.
        waited_ms: i64,
        /// How it ended.
        end: WaitEnd,
    },
    /// Work is in the line again, at its place.
    Returned {
        /// Which.
        work: WorkId,
        /// From whom.
        agent: UserId,
        /// Why.
        why: WhyReturned,
    },
    /// The skills that a waiting work needs are fewer or lower.
    SkillsRelaxed {
        /// Which work.
        work: WorkId,
    },
    /// The overflow rules say: ask the customer whether they want to be called back.
    CallbackSuggested {
        /// Which work.
        work: WorkId,
    },
    /// The agent is reserved: call the customer. Answered with
    /// [`Desk::handle_called_back`](crate::Desk::handle_called_back).
    CallBack {
        /// For which work.
        work: WorkId,
        /// Who is reserved.
        agent: UserId,
        /// Where to call.
        number: String,
        /// Which attempt, counted from 1.
        attempt: u32,
    },
    /// The customer was not reached and will be called again.
    CallbackResting {
        /// For which work.
        work: WorkId,
        /// How many attempts were made.
        attempts: u32,
        /// Until when it rests.
        until_ms: i64,
    },
    /// Work went over from an agent to where they wanted it.
    Transferred {
        /// Which.
        work: WorkId,
        /// From whom.
        from: UserId,
        /// Where to.
        toward: Toward,
    },
    /// A target was missed.
    TargetMissed {
        /// With which work.
        work: WorkId,
        /// Of which service.
        service: ServiceId,
        /// Which target.
        target: Target,
    },
    /// The conversation is over; ask the agent for a disposition.
    WrapUpBegan {
        /// Of which work.
        work: WorkId,
        /// Whom to ask.
        agent: UserId,
        /// When the time is over.
        until_ms: i64,
        /// Whether a disposition must be chosen.
        mandatory: bool,
    },
    /// The time for wrap-up is over and the mandatory disposition is missing.
    WrapUpOverdue {
        /// Of which work.
        work: WorkId,
        /// Whose.
        agent: UserId,
    },
    /// An agent is done with a work. It is over, unless it comes back at a date.
    Finished {
        /// Which.
        work: WorkId,
        /// Who.
        agent: UserId,
        /// How it was closed; `None` where that was optional or the agent was gone.
        disposition: Option<Disposed>,
        /// What is to be done now.
        actions: Vec<Action>,
        /// When it comes back.
        reopens_ms: Option<i64>,
    },
    /// Closed work has come back at its date and waits.
    Reopened {
        /// Which.
        work: WorkId,
    },
    /// An agent's presence is another.
    PresenceChanged {
        /// Whose.
        agent: UserId,
        /// What it is.
        presence: Presence,
        /// When they count as gone, while their connection is lost.
        lost_until_ms: Option<i64>,
    },
    /// A pause lasts longer than it should.
    PauseOverdue {
        /// Whose.
        agent: UserId,
        /// Which.
        reason: PauseReason,
    },
}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitEnd {
    /// An agent has the customer.
    Answered {
        /// Who.
        agent: UserId,
        /// Whether within the target; `None` where the service has none.
        in_target: Option<bool>,
    },
    /// The customer left.
    Abandoned {
        /// Whether it counts, or was too short to.
        counts: bool,
    },
    /// The wait is over without anybody: say so and take leave.
    Closed(WhyClosed),
    /// It waits in another service.
    Moved {
        /// Which.
        to: ServiceId,
    },
}

words! {
    /// Why a wait was closed without anybody.
    WhyClosed {
        /// The rules say so: too long, or too many.
        Overflow = "overflow",
        /// All attempts to call back failed.
        NotReached = "not_reached",
        /// The service does not exist any more.
        ServiceGone = "service_gone",
        /// The work that it was about is over.
        ConsultOver = "consult_over",
    }
}

words! {
    /// Why work is in the line again.
    WhyReturned {
        /// The agent logged off, or was gone for longer than the grace time.
        AgentLeft = "agent_left",
        /// The agent's side of the call broke.
        AgentLegLost = "agent_leg_lost",
        /// The customer was not reached.
        NotReached = "not_reached",
    }
}

words! {
    /// What a service wants to reach.
    Target {
        /// An agent has the work in time.
        Answer = "answer",
        /// The customer gets a reply in time.
        Message = "message",
    }
}

words! {
    /// What came of calling a customer back.
    CallResult {
        /// They are on the line.
        Answered = "answered",
        /// They are not: no answer, busy, voicemail.
        NotReached = "not_reached",
    }
}

words! {
    /// Who wrote a message.
    Sender {
        /// The customer.
        Customer = "customer",
        /// The agent.
        Agent = "agent",
    }
}

/// Where work is handed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toward {
    /// To the line of a service; who came earlier is still before who came later.
    Service(ServiceId),
    /// To an agent.
    Agent {
        /// Whom.
        agent: UserId,
        /// How long to wait for them before the whole service may have it, in milliseconds.
        wait_ms: i64,
    },
}

/// What an agent is doing, as a supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether they take work.
    pub presence: Presence,
    /// When they count as gone, while their connection is lost.
    pub lost_until_ms: Option<i64>,
    /// What they have in hand, the oldest first.
    pub in_hand: Vec<InHand>,
    /// What that costs, out of [`crate::rules::CAPACITY`]; more while something is interrupted.
    pub load: u32,
}

/// Something an agent has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InHand {
    /// Which work.
    pub work: WorkId,
    /// The interaction it stands for.
    pub interaction: InteractionId,
    /// For which service.
    pub service: ServiceId,
    /// When the customer came, milliseconds since 1970 (UTC).
    pub arrived_ms: i64,
    /// How one talks there.
    pub medium: Medium,
    /// The state's name, as of [`crate::change::WorkState::name`].
    pub doing: &'static str,
}

/// Why the desk did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// There is no such work; it may just have ended. (404)
    #[error("there is no such work")]
    NoSuchWork,
    /// There is no such agent. (404)
    #[error("there is no such agent")]
    NoSuchAgent,
    /// There is no such service. (404)
    #[error("there is no such service")]
    NoSuchService,
    /// There is no such reason for a pause. (404)
    #[error("there is no such reason for a pause")]
    NoSuchPause,
    /// The offer has ended: somebody was faster, or the time is over. (409)
    #[error("the offer has ended")]
    OfferOver,
    /// The work is already here. (409)
    #[error("this work is here already")]
    AlreadyHere,
    /// The work or the agent cannot do this at present. (409)
    #[error("{command} is not possible while {state}")]
    NotNow {
        /// What was asked.
        command: &'static str,
        /// What it is doing.
        state: &'static str,
    },
    /// The work is in another agent's hands. (403)
    #[error("the work is in another agent's hands")]
    NotYours,
    /// The rules do not let this agent hand work there. (403)
    #[error("this agent may not hand work there")]
    NotAllowed,
    /// The other agent is offline, paused or lost. (409)
    #[error("the other agent is away")]
    Away,
    /// The agent has too much in hand. (409)
    #[error("the agent has too much in hand")]
    NoRoom,
    /// The line has as many as it takes. (503)
    #[error("the line of this service is full")]
    Full,
    /// What was filled in is not complete. (422)
    #[error(transparent)]
    Disposition(#[from] DispositionError),
}
