//! Two opinions of the providers' formats meet: our connectors read what the simulator says, and the
//! simulator takes what they send.

use channels::connector::{Connector, Fetch, Headers, Webhook};
use channels::event::{
    ChoiceKind, Content as Read, Delivery, Event, EventKind, HealthLevel, MediaKind, MediaSource,
    Side,
};
use channels::failure::FailureClass;
use channels::health::Check;
use channels::peer::{IdentityKind, PeerId};
use channels::send::{
    OutChoice, OutChoices, OutContent, OutMedia, Outgoing, Request, Response, Signal,
};
use channels::template::{Template, TemplateHeader, Values};
use channels::whatsapp;
use ramal_sim::wire::ApiAnswer;
use ramal_sim::world::{
    Act, Among, Card, Content, Fault, FaultKind, File, Message, Pace, Progress, Shape,
};
use ramal_sim::{Provider, demo};
use serde_json::{Value, json};

use crate::company::{Company, NOON_MS};

const BASE: &str = "http://sim.example";

/// The connector of the demo company's account at a provider.
fn connector(provider: Provider) -> Box<dyn Connector> {
    let base = format!("{BASE}/{}", provider.prefix());
    let config = demo::account(provider, &base).expect("a provider of WhatsApp");
    let config: whatsapp::Config = serde_json::from_value(config).expect("a configuration");
    whatsapp::connector(config).expect("a connector")
}

/// A company at one provider, with its connector.
struct Ours {
    provider: Provider,
    company: Company,
    connector: Box<dyn Connector>,
}

impl Ours {
    fn new(provider: Provider) -> Self {
        Self {
            provider,
            company: Company::new(Pace::AT_ONCE),
            connector: connector(provider),
        }
    }

    /// Everything that was told since this was asked last: proved, and read.
    fn told(&mut self) -> Vec<Event> {
        let mut events = vec![];
        for told in std::mem::take(&mut self.company.told) {
            let attempt = &told.attempt;
            let headers: Headers = attempt.headers.iter().cloned().collect();
            let webhook = Webhook {
                url: &attempt.url,
                headers: &headers,
                body: &attempt.body,
            };
            assert_eq!(
                self.connector.verify(&webhook),
                Ok(()),
                "{:?}",
                self.provider
            );
            events.extend(self.connector.read(&webhook).expect("readable"));
        }
        events
    }

    /// What the customer said last, as we understand it.
    fn heard(&mut self) -> channels::event::Incoming {
        let events = self.told();
        let last = events.into_iter().next_back().map(|event| event.kind);
        let Some(EventKind::Message(message)) = last else {
            panic!("{:?}: no message but {last:?}", self.provider)
        };
        message
    }

    fn asks(&mut self, request: &Request) -> ApiAnswer {
        let base = format!("{BASE}/{}", self.provider.prefix());
        let path = request
            .url
            .strip_prefix(&base)
            .unwrap_or_else(|| panic!("{} is not below {base}", request.url));
        let headers: Vec<(&str, &str)> = request
            .headers
            .iter()
            .filter_map(|header| Some((header.name, request.header_value(header.name)?)))
            .collect();
        let method = request.method.as_str();
        self.company
            .asks(self.provider, (method, path), &headers, &request.body)
    }

    fn sends(&mut self, content: OutContent) -> Result<String, channels::failure::Failure> {
        let message = Outgoing {
            message: "nossa-1".to_owned(),
            to: PeerId::new(IdentityKind::WaId, "5511987654321"),
            content,
            reply_to: None,
        };
        let request = self.connector.send(&message).expect("sendable");
        let answer = self.asks(&request);
        self.connector
            .answered(&response(&answer))
            .map(|accepted| accepted.id)
    }

    /// The message that the company sent last, as the customer has it.
    fn arrived(&self) -> &Message {
        let mut messages = self.company.world.messages().iter().rev();
        messages.find(|message| message.is_ours()).expect("sent")
    }

    /// Gives the simulator the file that it was to fetch.
    fn gives(&mut self, mime: &str) {
        let (message, _) = self.company.fetches.pop().expect("a link");
        let file = Ok((mime.to_owned(), vec![7]));
        self.company
            .world
            .fetched(self.company.now_ms, message, file);
        self.company.settle();
    }
}

fn response(answer: &ApiAnswer) -> Response {
    let headers: Headers = answer.headers.iter().cloned().collect();
    Response {
        status: answer.status,
        retry_after_ms: channels::send::wait_ms(&headers, NOON_MS),
        body: answer.body.clone(),
    }
}

fn file(shape: Shape, file: &str, caption: Option<&str>, voice: bool) -> Content {
    Content::File(File {
        file: file.to_owned(),
        shape,
        mime: String::new(),
        name: None,
        caption: caption.map(str::to_owned),
        voice,
        bytes: 0,
        sha256: String::new(),
    })
}

fn words(text: &str) -> OutContent {
    let text = text.to_owned();
    OutContent::Text {
        text,
        preview: false,
    }
}

#[test]
fn words_come_from_the_same_customer_whoever_carries_them() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        let text = "Olá 😀 & tudo + mais/menos = \"isto\"\nfim";
        let id = ours.company.writes(provider, "marina", text);
        let message = ours.heard();
        assert_eq!(
            message.content,
            Read::Text {
                text: text.to_owned()
            }
        );
        assert_eq!(message.from.name.as_deref(), Some("Marina Alves"));
        let number = message.from.id(IdentityKind::WaId).expect("a number");
        assert_eq!(number.value, "5511987654321");
        let sent = ours.company.message(id);
        assert!(
            sent.has_wire_id(&message.id),
            "{provider:?}: {}",
            message.id
        );
    }
}

#[test]
fn all_that_customers_send_is_understood() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        ours.company.sends(
            provider,
            "marina",
            file(Shape::Image, demo::SAMPLE_PICTURE, Some("Veja"), false),
        );
        let Read::Media(media) = ours.heard().content else {
            panic!("{provider:?}: no picture")
        };
        assert_eq!(
            (media.kind, media.caption.as_deref()),
            (MediaKind::Image, Some("Veja"))
        );
        assert_eq!(media.mime.as_deref(), Some("image/png"));

        ours.company.sends(
            provider,
            "marina",
            file(Shape::Audio, demo::SAMPLE_VOICE, None, true),
        );
        let Read::Media(media) = ours.heard().content else {
            panic!("{provider:?}: no voice")
        };
        assert_eq!(media.kind, MediaKind::Audio);

        ours.company.sends(
            provider,
            "marina",
            file(Shape::Document, demo::SAMPLE_DOCUMENT, None, false),
        );
        let Read::Media(media) = ours.heard().content else {
            panic!("{provider:?}: no document")
        };
        assert_eq!(media.kind, MediaKind::Document);

        let name = Some("Praça da Sé".to_owned());
        let place = Content::Location {
            latitude: -23.55,
            longitude: -46.63,
            name,
            address: None,
        };
        ours.company.sends(provider, "marina", place);
        let Read::Location(place) = ours.heard().content else {
            panic!("{provider:?}: no place")
        };
        assert_eq!(
            (place.latitude, place.longitude, place.name.as_deref()),
            (-23.55, -46.63, Some("Praça da Sé"))
        );

        let cards = vec![Card {
            name: "Bruno Lima".to_owned(),
            phones: vec!["+55 11 91234-5678".to_owned()],
        }];
        ours.company
            .sends(provider, "marina", Content::Contacts { cards });
        let content = ours.heard().content;
        if provider == Provider::Twilio {
            // A card is a file here.
            assert!(matches!(content, Read::Media(_)), "{content:?}");
        } else {
            let Read::Contacts { cards } = content else {
                panic!("{provider:?}: no cards")
            };
            assert_eq!(
                (cards[0].name.as_str(), cards[0].phones.len()),
                ("Bruno Lima", 1)
            );
        }

        let what = "poll".to_owned();
        ours.company
            .sends(provider, "marina", Content::Unsupported { what });
        assert!(
            matches!(ours.heard().content, Read::Unsupported { .. }),
            "{provider:?}"
        );
    }
}

#[test]
fn files_are_fetched_as_each_provider_wants_it() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        ours.company.sends(
            provider,
            "marina",
            file(Shape::Audio, demo::SAMPLE_VOICE, None, true),
        );
        let Read::Media(media) = ours.heard().content else {
            panic!("{provider:?}: no voice")
        };
        let mut request = match ours.connector.media(&media.source).expect("fetchable") {
            Fetch::File(request) => request,
            Fetch::Locate(request) => {
                let answer = ours.asks(&request);
                ours.connector.located(&response(&answer)).expect("located")
            }
        };
        let mut answer = ours.asks(&request);
        if answer.status == 307 {
            // Without the login, which is not for where the file is.
            let place = answer
                .headers
                .iter()
                .find(|(name, _)| name == "location")
                .expect("a place");
            request = Request::new(request.method, place.1.clone());
            answer = ours.asks(&request);
        }
        assert!(
            answer.body.starts_with(b"OggS"),
            "{provider:?}: {}",
            answer.status
        );
    }
}

#[test]
fn replies_reactions_edits_and_revokes_are_about_the_same_message() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        let first = ours.company.writes(provider, "marina", "Oi");
        let theirs = ours.heard().id;
        let sent = ours.sends(words("Bom dia")).expect("taken");
        ours.told();
        let message = ours.arrived().id;
        let content = Content::words("Certo");
        ours.company.does(
            provider,
            "marina",
            Act::Write {
                content,
                reply_to: Some(message),
                forwarded: false,
                from_ad: false,
            },
        );
        let reply = ours.heard();
        assert_eq!(reply.reply_to, Some(sent.clone()), "{provider:?}");
        let emoji = Some("👍".to_owned());
        ours.company
            .does(provider, "marina", Act::React { message, emoji });
        let can_react = provider.is_meta() || provider == Provider::Gupshup;
        let events = ours.told();
        assert_eq!(events.len(), usize::from(can_react));
        if let Some(EventKind::Reaction(reaction)) = events.first().map(|event| &event.kind) {
            assert_eq!(
                (&reaction.message, reaction.by, reaction.emoji.as_deref()),
                (&sent, Side::Customer, Some("👍"))
            );
        }
        if !provider.is_meta() {
            continue;
        }
        let text = "Oi!".to_owned();
        ours.company.does(
            provider,
            "marina",
            Act::Edit {
                message: first,
                text: text.clone(),
            },
        );
        let edited = ours.told().pop().map(|event| event.kind);
        let Some(EventKind::Edited(edited)) = edited else {
            panic!("{provider:?}: {edited:?}")
        };
        assert_eq!(
            (&edited.message, edited.content),
            (&theirs, Read::Text { text })
        );
        ours.company
            .does(provider, "marina", Act::Revoke { message: first });
        let revoked = ours.told().pop().map(|event| event.kind);
        let Some(EventKind::Revoked(revoked)) = revoked else {
            panic!("{provider:?}: {revoked:?}")
        };
        assert_eq!(revoked.message, theirs);
    }
}

#[test]
fn what_we_send_arrives_as_it_was_meant_and_is_reported_step_by_step() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        ours.company.writes(provider, "marina", "Oi");
        ours.told();
        let id = ours.sends(words("Olá & até já 😀")).expect("taken");
        assert_eq!(ours.arrived().content, Content::words("Olá & até já 😀"));
        ours.company.does(provider, "marina", Act::Read);
        let (mut states, mut costs) = (vec![], 0);
        for event in ours.told() {
            if let EventKind::Billed(billed) = event.kind {
                assert_eq!((billed.message, billed.billable), (id.clone(), true));
                costs += 1;
                continue;
            }
            let EventKind::Status(status) = event.kind else {
                panic!("{provider:?}: {event:?}")
            };
            assert_eq!(status.message, id, "{provider:?}");
            states.push(status.state);
        }
        states.retain(|state| *state != Delivery::Accepted);
        assert_eq!(
            states,
            [Delivery::Sent, Delivery::Delivered, Delivery::Read],
            "{provider:?}"
        );
        assert_eq!(
            costs > 0,
            ours.connector.capabilities().costs,
            "{provider:?}"
        );
    }
}

#[test]
fn files_places_and_answers_to_choose_from_arrive() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        ours.company.writes(provider, "marina", "Oi");
        let media = OutMedia {
            kind: MediaKind::Image,
            source: MediaSource::Url("http://company.example/a.png".to_owned()),
            mime: "image/png".to_owned(),
            bytes: 1,
            name: None,
            caption: Some("Veja".to_owned()),
            voice: false,
        };
        ours.sends(OutContent::Media(media)).expect("taken");
        ours.gives("image/png");
        let arrived = ours.arrived();
        let file = arrived.content.file().expect("a picture");
        assert_eq!(
            (file.shape, file.caption.as_deref()),
            (Shape::Image, Some("Veja")),
            "{provider:?}"
        );
        assert_eq!(arrived.progress, Progress::Delivered);

        let place = channels::event::Location {
            latitude: -23.5,
            longitude: -46.5,
            name: Some("Loja".to_owned()),
            address: None,
        };
        ours.sends(OutContent::Location(place)).expect("taken");
        let Content::Location { latitude, name, .. } = ours.arrived().content.clone() else {
            panic!("{provider:?}: no place")
        };
        assert_eq!((latitude, name.as_deref()), (-23.5, Some("Loja")));

        if ours.connector.capabilities().choices.is_none() {
            continue;
        }
        for (count, among, kind) in [
            (2, Among::Buttons, ChoiceKind::Buttons),
            (5, Among::List, ChoiceKind::List),
        ] {
            let choices: Vec<OutChoice> = (1..=count)
                .map(|at| OutChoice {
                    id: format!("id-{at}"),
                    title: format!("Opção {at}"),
                    description: None,
                })
                .collect();
            let body = "Qual?".to_owned();
            let question = OutChoices {
                body,
                footer: Some("Loja".to_owned()),
                open: None,
                choices,
            };
            let id = ours.sends(OutContent::Choices(question)).expect("taken");
            let arrived = ours.arrived();
            let Content::Question(question) = &arrived.content else {
                panic!("{provider:?}: no question")
            };
            assert_eq!(
                (
                    question.among,
                    question.options.len(),
                    question.footer.as_deref()
                ),
                (among, count, Some("Loja"))
            );
            let (message, option) = (arrived.id, "id-2".to_owned());
            ours.company
                .does(provider, "marina", Act::Press { message, option });
            let heard = ours.heard();
            let Read::Choice(choice) = heard.content else {
                panic!("{provider:?}: no choice")
            };
            assert_eq!(
                (choice.id.as_str(), choice.title.as_str()),
                ("id-2", "Opção 2")
            );
            // Zenvia tells what was pressed, and not on what.
            let is_told = provider != Provider::Zenvia;
            assert!(choice.among == kind || !is_told, "{provider:?}");
            assert_eq!(heard.reply_to, Some(id));
        }
    }
}

/// All templates of a provider, page by page.
fn templates(ours: &mut Ours) -> Vec<Template> {
    let (mut all, mut after) = (vec![], None);
    loop {
        let request = ours
            .connector
            .templates(after.as_deref())
            .expect("listable");
        let answer = ours.asks(&request);
        let page = ours
            .connector
            .templates_listed(&response(&answer))
            .expect("a list");
        all.extend(page.templates);
        after = page.after;
        if after.is_none() {
            return all;
        }
    }
}

#[test]
fn templates_are_listed_filled_and_sent_and_their_quick_replies_come_back() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        let all = templates(&mut ours);
        assert_eq!(all.len(), 9, "{provider:?}");
        let states: Vec<String> = all.iter().map(|one| one.state.to_string()).collect();
        assert_eq!(states[7..], ["paused", "rejected"], "{provider:?}");
        let found = all
            .iter()
            .find(|one| one.name == demo::TEMPLATE_RETURN && one.language == "pt_BR");
        let found = found.expect("the template").clone();
        let names = found.body_names();
        let body = names
            .into_iter()
            .zip(["Marina".to_owned(), "20261124000001".to_owned()])
            .collect();
        let filled = found
            .fill(&Values {
                body,
                ..Values::default()
            })
            .expect("filled");
        let id = ours.sends(OutContent::Template(filled)).expect("taken");
        let arrived = ours.arrived();
        let Content::Template(filled) = &arrived.content else {
            panic!("{provider:?}: no template")
        };
        let expected = "Olá, Marina! Retomamos o seu atendimento de protocolo 20261124000001. Podemos continuar por aqui?";
        assert_eq!(filled.body, expected);
        assert_eq!(arrived.progress, Progress::Delivered, "{provider:?}");
        let (message, option) = (arrived.id, "Sim, continuar".to_owned());
        ours.company
            .does(provider, "marina", Act::Press { message, option });
        let heard = ours.heard();
        let Read::Choice(choice) = heard.content else {
            panic!("{provider:?}: no choice")
        };
        assert_eq!(
            (choice.title.as_str(), heard.reply_to),
            ("Sim, continuar", Some(id)),
            "{provider:?}"
        );
    }
}

#[test]
fn a_template_with_a_picture_a_heading_and_a_link_is_filled_in_all_its_parts() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        let all = templates(&mut ours);
        let named = |name: &str| {
            all.iter()
                .find(|one| one.name == name)
                .expect("the template")
                .clone()
        };
        let survey = named(demo::TEMPLATE_SURVEY);
        assert!(
            matches!(survey.header, Some(TemplateHeader::Text(_))),
            "{provider:?}: {:?}",
            survey.header
        );
        let one = |names: Vec<String>, value: &str| {
            names
                .into_iter()
                .map(|name| (name, value.to_owned()))
                .collect()
        };
        let values = Values {
            header: one(survey.header_names(), "77"),
            body: one(survey.body_names(), "Marina"),
            ..Values::default()
        };
        let filled = survey.fill(&values).expect("filled");
        ours.sends(OutContent::Template(filled)).expect("taken");
        let Content::Template(filled) = &ours.arrived().content else {
            panic!("{provider:?}: no template")
        };
        assert_eq!(
            filled.header.as_deref(),
            Some("Protocolo 77"),
            "{provider:?}"
        );
        assert_eq!(
            filled.body,
            "Olá, Marina! Como foi o seu atendimento hoje? Leva um toque só."
        );

        let delivery = named(demo::TEMPLATE_DELIVERY);
        let picture = OutMedia {
            kind: MediaKind::Image,
            source: MediaSource::Url("http://company.example/a.png".to_owned()),
            mime: "image/png".to_owned(),
            bytes: 1,
            name: None,
            caption: None,
            voice: false,
        };
        // By Twilio the picture was laid down with the template.
        let header_media =
            matches!(delivery.header, Some(TemplateHeader::Media(_))).then_some(picture);
        assert_eq!(
            header_media.is_none(),
            provider == Provider::Twilio,
            "{provider:?}"
        );
        let body = delivery.body_names().into_iter();
        let body = body
            .zip(["Marina", "4471", "hoje"].map(str::to_owned))
            .collect();
        let buttons = [(0, "4471".to_owned())].into();
        let values = Values {
            header_media,
            body,
            buttons,
            ..Values::default()
        };
        let filled = delivery.fill(&values).expect("filled");
        ours.sends(OutContent::Template(filled)).expect("taken");
        if provider != Provider::Twilio {
            ours.gives("image/png");
        }
        let arrived = ours.arrived();
        assert_eq!(
            arrived.progress,
            Progress::Delivered,
            "{provider:?}: {:?}",
            arrived.problem
        );
        let Content::Template(filled) = &arrived.content else {
            panic!("{provider:?}: no template")
        };
        assert!(
            filled.file.is_some() && filled.body.starts_with("Oi, Marina! O pedido 4471"),
            "{provider:?}"
        );
        let url = serde_json::to_value(&filled.buttons[0]).expect("JSON")["url"].clone();
        assert_eq!(url, "https://loja.example/pedidos/4471", "{provider:?}");
    }
}

#[test]
fn what_fails_has_the_same_class_whoever_says_it() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        // Taken, and then the window is closed.
        ours.sends(words("Oi")).expect("taken");
        let failed = |ours: &mut Ours| {
            let mut events = ours.told().into_iter().rev();
            events.find_map(|event| {
                let EventKind::Status(status) = event.kind else {
                    panic!("no status but {event:?}")
                };
                status.failure.map(|failure| failure.class)
            })
        };
        assert_eq!(
            failed(&mut ours),
            Some(FailureClass::NeedsTemplate),
            "{provider:?}"
        );
        ours.company.writes(provider, "marina", "Oi");
        ours.told();
        for (code, class) in [
            (131_026, FailureClass::Permanent),
            (131_056, FailureClass::Retry),
        ] {
            let fault = |kind| Fault {
                provider: None,
                kind,
                times: Some(1),
                permille: 1_000,
            };
            ours.company
                .world
                .add_fault(fault(FaultKind::Fail { code }));
            ours.sends(words("Oi")).expect("taken");
            assert_eq!(failed(&mut ours), Some(class), "{provider:?} {code}");
        }
        let fault = Fault {
            provider: None,
            kind: FaultKind::Refuse { code: 131_056 },
            times: Some(1),
            permille: 1_000,
        };
        ours.company.world.add_fault(fault);
        let refused = ours.sends(words("Oi")).expect_err("refused");
        assert_eq!(
            refused.class,
            FailureClass::Retry,
            "{provider:?}: {refused:?}"
        );
    }
}

#[test]
fn who_hides_their_number_is_known_and_reached_by_their_id() {
    for provider in [Provider::Cloud, Provider::Dialog360] {
        let mut ours = Ours::new(provider);
        ours.company.writes(provider, "julia", "Oi");
        let from = ours.heard().from;
        assert_eq!(from.id(IdentityKind::WaId), None);
        let to = ours
            .connector
            .address(&from.ids)
            .expect("an address")
            .clone();
        assert_eq!(
            (to.kind, to.value.as_str()),
            (IdentityKind::WaBsuid, "BR.1502576394655842")
        );
        let message = Outgoing {
            message: "nossa-1".to_owned(),
            to,
            content: words("Oi, Júlia"),
            reply_to: None,
        };
        let request = ours.connector.send(&message).expect("sendable");
        let answer = ours.asks(&request);
        ours.connector.answered(&response(&answer)).expect("taken");
        assert_eq!(ours.arrived().customer, "julia");
        let phone = "5511912340000".to_owned();
        ours.told();
        ours.company
            .does(provider, "marina", Act::ChangeNumber { phone });
        let news = ours.told().pop().map(|event| event.kind);
        let Some(EventKind::Identified(identified)) = news else {
            panic!("{provider:?}: {news:?}")
        };
        let new = identified
            .peer
            .id(IdentityKind::WaId)
            .map(|id| id.value.clone());
        assert_eq!(new.as_deref(), Some("5511912340000"));
    }
}

#[test]
fn signals_echoes_and_blocks_are_understood_where_there_are_words_for_them() {
    for provider in [Provider::Cloud, Provider::Dialog360] {
        let mut ours = Ours::new(provider);
        let id = ours.company.writes(provider, "marina", "Oi");
        let message = ours.heard().id;
        let to = PeerId::new(IdentityKind::WaId, "5511987654321");
        let request = ours
            .connector
            .signal(&Signal::Typing {
                to: to.clone(),
                message,
            })
            .expect("sendable");
        assert_eq!(ours.asks(&request).status, 200);
        assert_eq!(ours.company.message(id).progress, Progress::Read);
        assert!(
            ours.company
                .world
                .chat(provider, "marina")
                .typing_until_ms
                .is_some()
        );
        let text = "Do celular".to_owned();
        ours.company.does(
            provider,
            "marina",
            Act::WriteFromPhone { text: text.clone() },
        );
        let echo = ours.told().pop().map(|event| event.kind);
        let Some(EventKind::Echo(echo)) = echo else {
            panic!("{provider:?}: {echo:?}")
        };
        assert_eq!(echo.content, Read::Text { text });
        let request = ours.connector.block(&to, true).expect("sendable");
        assert_eq!(ours.asks(&request).status, 200);
        ours.company.writes(provider, "marina", "Oi?");
        assert_eq!(ours.told(), []);
    }
}

#[test]
fn accounts_are_set_up_and_found_well() {
    for provider in [Provider::Dialog360, Provider::Zenvia] {
        let mut ours = Ours::new(provider);
        ours.company.world.set_webhook(provider, None);
        for request in ours.connector.set_up("http://company.example/webhooks/7") {
            assert!(ours.asks(&request).status < 300, "{provider:?}");
        }
        ours.company.writes(provider, "marina", "Oi");
        assert_eq!(
            ours.heard().content,
            Read::Text {
                text: "Oi".to_owned()
            }
        );
    }
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        for (check, request) in ours.connector.checks() {
            let answer = ours.asks(&request);
            let findings = ours
                .connector
                .checked(check, &response(&answer))
                .expect("readable");
            // Nobody subscribed by Zenvia's API here: what is not there is an alarm.
            let is_bare = provider == Provider::Zenvia && check == Check::Subscription;
            let alarms = findings
                .iter()
                .filter(|one| one.level == HealthLevel::Alarm)
                .count();
            assert_eq!(alarms > 0, is_bare, "{provider:?} {check:?}: {findings:?}");
            assert!(!findings.is_empty(), "{provider:?} {check:?}");
        }
    }
}

#[test]
fn news_of_templates_are_understood() {
    for provider in [Provider::Cloud, Provider::Dialog360, Provider::Gupshup] {
        let mut ours = Ours::new(provider);
        let id = ours
            .company
            .world
            .templates()
            .iter()
            .find(|one| one.provider == provider)
            .expect("one")
            .id
            .clone();
        let state = ramal_sim::world::TemplateState::Paused;
        ours.company
            .world
            .set_template(ours.company.now_ms, provider, &id, state, None);
        ours.company.settle();
        let news = ours.told().pop().map(|event| event.kind);
        let Some(EventKind::Template(news)) = news else {
            panic!("{provider:?}: {news:?}")
        };
        assert_eq!(news.name, demo::TEMPLATE_RETURN);
        assert_eq!(
            json!(news.change)["state"]["state"],
            Value::from("paused"),
            "{provider:?}"
        );
    }
}

#[test]
fn a_wrong_signature_is_a_forgery() {
    for provider in Provider::WHATSAPP {
        let mut ours = Ours::new(provider);
        let kind = FaultKind::WrongSignature;
        ours.company.world.add_fault(Fault {
            provider: None,
            kind,
            times: Some(1),
            permille: 1_000,
        });
        ours.company.writes(provider, "marina", "Oi");
        let attempt = &ours.company.last().attempt;
        let headers: Headers = attempt.headers.iter().cloned().collect();
        let webhook = Webhook {
            url: &attempt.url,
            headers: &headers,
            body: &attempt.body,
        };
        assert!(ours.connector.verify(&webhook).is_err(), "{provider:?}");
    }
}
