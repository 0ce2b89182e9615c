//! What belongs to a call beside its words: its recording, the survey, a message as work.

use desk::disposition::{Action, Disposed, Disposition};
use desk::record::SurveyAnswer;

use super::agents::{Phone, agent, company, staffed};
use super::*;
use crate::directory::{CallRules, Recording as Recorded};
use crate::voice::{CallOrder, OrderError, Tape};

const SURVEY: &str = r#"{ "format": 1, "language": "pt-BR", "entry": "ask", "nodes": {
    "ask": { "kind": "menu", "say": [{ "kind": "text", "text": "De 1 a 5?" }],
             "choices": [{ "key": "1", "to": "thanks" }, { "key": "5", "to": "thanks" }] },
    "thanks": { "kind": "hang-up", "say": [{ "kind": "text", "text": "Obrigado" }] } } }"#;

/// Ana talks with a customer of a service with these rules.
fn talking(rules: CallRules) -> (Scene, Phone) {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    let mut directory = Directory::clone(&scene.voice.shared.directory);
    let mut changed = Company::clone(&directory.companies[&company()]);
    for service in changed.services.values_mut() {
        service.calls = rules.clone();
    }
    let survey: ivr::Flow = serde_json::from_str(SURVEY).expect("a flow");
    let mut library = ivr::Library::clone(&changed.library);
    library.flows.insert("survey".into(), Arc::new(survey));
    changed.library = Arc::new(library);
    directory.companies.insert(company(), Arc::new(changed));
    scene.voice.set_directory(scene.now, Arc::new(directory));
    scene.settle();
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    (scene, phone)
}

impl Scene {
    fn answers(&self) -> Vec<&SurveyAnswer> {
        let answers = self.changes.iter().filter_map(|change| match change {
            Change::SurveyAnswered(answer) => Some(&**answer),
            _ => None,
        });
        answers.collect()
    }

    fn tapes(&mut self) -> Vec<String> {
        let tapes = std::mem::take(&mut self.wanted).into_iter();
        let named = tapes.filter_map(|output| match output {
            Output::Media(leg, MediaCommand::RecordCall(_)) => Some(format!("record {}", leg.0)),
            Output::Media(leg, MediaCommand::PauseRecording) => Some(format!("pause {}", leg.0)),
            Output::Media(leg, MediaCommand::ResumeRecording) => Some(format!("resume {}", leg.0)),
            Output::Media(leg, MediaCommand::StopRecording) => Some(format!("stop {}", leg.0)),
            _ => None,
        });
        named.collect()
    }

    fn tape(&mut self, by: &str, wanted: Tape) -> Result<(), OrderError> {
        let interaction = self.opened.as_deref().expect("an opening").id.clone();
        let order = CallOrder::Record(wanted);
        let done = self
            .voice
            .order(self.now, &company(), &agent(by), &interaction, order);
        self.settle();
        done
    }
}

fn with_survey() -> CallRules {
    CallRules {
        survey: Some("survey".parse().expect("an id")),
        ..CallRules::default()
    }
}

#[test]
fn a_customer_whom_the_agent_leaves_is_asked_how_it_was() {
    let (mut scene, ana) = talking(with_survey());
    scene.wanted.clear();
    scene.leaves(ana, Party::Peer, None);
    assert!(!hangs_up(&scene, CALL));
    assert_eq!(
        scene.doing("ana"),
        ["wrapping up"],
        "she need not wait for it"
    );
    scene.press('5');
    let answers = scene.answers();
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].question.as_str(), answers[0].answer.as_str()),
        ("ask", "5")
    );
    assert_eq!(answers[0].agent, Some(agent("ana")));
    let thanks = loop {
        let next = scene.wanted.pop_front().expect("the last words");
        if let Output::Media(leg, MediaCommand::Play { play, clips, .. }) = next
            && clips.iter().map(name).collect::<Vec<_>>() == ["Obrigado"]
        {
            break (leg, play);
        }
    };
    scene.played(thanks);
    assert!(hangs_up(&scene, CALL));
    scene.ended(Party::Us);
    assert_eq!(scene.ends(), [(EndedBy::Agent, "hung_up")]);
}

const CUSTOMER: LegId = LegId(1);

/// Ana says during the call how it went, and hangs up.
fn closes_with(action: Action) -> Scene {
    let (mut scene, ana) = talking(CallRules::default());
    scene.change(|company| {
        for service in company.services.values_mut() {
            service.rules.wrap_up.dispositions = vec![Disposition {
                id: "pronto".parse().expect("an id"),
                name: "Pronto".into(),
                children: vec![],
                fields: vec![],
                actions: vec![action.clone()],
            }];
        }
    });
    let work = scene.voice.work_of(scene.now, &company(), &agent("ana"));
    let work = work.expect("an agent")[0].work.clone();
    let disposed = Disposed {
        id: "pronto".parse().expect("an id"),
        fields: BTreeMap::new(),
        reopen_ms: None,
        note: String::new(),
    };
    scene
        .voice
        .dispose(scene.now, &company(), &agent("ana"), &work, disposed)
        .expect("a code");
    scene.wanted.clear();
    scene.leaves(ana, Party::Peer, None);
    scene
}

#[test]
fn a_disposition_given_during_the_call_has_the_customer_asked_by_its_survey() {
    let mut scene = closes_with(Action::Survey("survey".into()));
    assert!(!hangs_up(&scene, CALL));
    scene.press('5');
    assert_eq!(scene.answers().len(), 1);
}

#[test]
fn a_disposition_given_during_the_call_may_give_the_customer_back_to_a_flow() {
    let scene = closes_with(Action::ReturnToBot("menu".into()));
    assert!(!hangs_up(&scene, CALL));
    let is_greeting = |output: &Output| {
        matches!(output, Output::Media(CUSTOMER, MediaCommand::Play { clips, .. })
            if clips.iter().map(name).eq(["hello"]))
    };
    assert!(scene.wanted.iter().any(is_greeting));
    assert!(scene.answers().is_empty(), "that is no survey");
}

#[test]
fn a_disposition_that_names_no_flow_ends_the_call_as_any_other() {
    let scene = closes_with(Action::ReturnToBot("gone".into()));
    assert!(hangs_up(&scene, CALL));
}

#[test]
fn a_customer_who_hangs_up_is_asked_nothing() {
    let (mut scene, _) = talking(with_survey());
    scene.ended(Party::Peer);
    assert!(scene.answers().is_empty());
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
}

#[test]
fn a_service_that_records_all_its_calls_records_from_the_agents_first_word() {
    let (mut scene, _) = talking(CallRules {
        recording: Recorded::Always,
        ..CallRules::default()
    });
    assert_eq!(scene.tapes(), ["record 1"]);
    scene.tape("ana", Tape::Pause).expect("card data is spoken");
    scene.tape("ana", Tape::Resume).expect("it is over");
    assert_eq!(scene.tapes(), ["pause 1", "resume 1"]);
    scene
        .tape("ana", Tape::Stop)
        .expect_err("the service wants it whole");
    scene
        .tape("bruno", Tape::Pause)
        .expect_err("he is not on the line");
    assert_eq!(scene.tapes(), [""; 0]);
    scene.ended(Party::Peer);
    let told = scene.details(TrailKind::Recording);
    let what: Vec<_> = told.iter().map(|detail| &detail["what"]).collect();
    assert_eq!(what, ["start", "pause", "resume"]);
    assert_eq!(told[1]["by"], "ana");
}

#[test]
fn a_call_is_recorded_on_demand_where_the_service_says_so_and_nowhere_else() {
    let (mut scene, _) = talking(CallRules {
        recording: Recorded::OnDemand,
        ..CallRules::default()
    });
    assert_eq!(scene.tapes(), [""; 0]);
    scene.tape("ana", Tape::Pause).expect_err("there is none");
    scene.tape("ana", Tape::Start).expect("she may");
    scene.tape("ana", Tape::Stop).expect("she may");
    assert_eq!(scene.tapes(), ["record 1", "stop 1"]);
    let (mut scene, _) = talking(CallRules::default());
    scene
        .tape("ana", Tape::Start)
        .expect_err("nobody wants that");
}

#[test]
fn a_message_is_work_for_the_service_it_was_left_for() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.page("ana", true);
    scene.answered("4000");
    scene.press('3');
    let ticket = loop {
        match scene.next() {
            Output::Media(_, MediaCommand::Record { ticket, .. }) => break ticket,
            Output::Media(leg, MediaCommand::Play { play, .. }) => scene.played((leg, play)),
            _ => {}
        }
    };
    let recording = Recording {
        file: "one.wav".into(),
        bytes: 1,
        length: Duration::from_secs(9),
    };
    scene
        .voice
        .handle_recorded(scene.now, LegId(1), ticket, Some(recording));
    scene.settle();
    assert_eq!(scene.messages().len(), 1);
    assert_eq!(scene.doing("ana"), ["offered"], "on her screen");
    assert!(scene.phones().is_empty(), "no phone rings for it");
}
