//! The company's accounts, the customers and the templates that the simulator knows: obviously false, and
//! the same everywhere, so that the demo company and tests need not be told.

use serde_json::{Value, json};

use crate::provider::Provider;
use crate::world::{Button, Customer, Header, Shape, Template, TemplateState};

/// The company.
pub const COMPANY: &str = "Loja Exemplo";

/// Meta: the app, whose secret signs webhooks.
pub const APP_ID: &str = "900000000000001";
/// Meta: the secret of the app.
pub const APP_SECRET: &str = "segredo-do-app-simulado";
/// Meta: what the company made up for the handshake.
pub const VERIFY_TOKEN: &str = "verificacao-simulada";
/// Meta: the token of the system user.
pub const ACCESS_TOKEN: &str = "EAAB-simulador";
/// Meta: the business account, which has the templates.
pub const WABA_ID: &str = "102290129340398";
/// Meta: the id of the company's number.
pub const PHONE_NUMBER_ID: &str = "106540352242922";

/// 360dialog: the key of the number.
pub const D360_API_KEY: &str = "D360-simulador";
/// 360dialog: the business account.
pub const D360_WABA_ID: &str = "102290129340360";
/// 360dialog: the id of the company's number.
pub const D360_PHONE_NUMBER_ID: &str = "106540352242360";

/// Gupshup: the key of the account.
pub const GUPSHUP_API_KEY: &str = "gupshup-simulador";
/// Gupshup: the name of the app.
pub const GUPSHUP_APP: &str = "LojaExemplo";
/// Gupshup: the id of the app.
pub const GUPSHUP_APP_ID: &str = "6f1c2a50-0000-4000-8000-000000000001";

/// Zenvia: the token of the account.
pub const ZENVIA_API_TOKEN: &str = "zenvia-simulador";

/// Twilio: the account.
pub const TWILIO_ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
/// Twilio: its token, with which webhooks are signed.
pub const TWILIO_AUTH_TOKEN: &str = "twilio-simulador";

/// What the company gives to 360dialog, Gupshup and Zenvia, which sign nothing, to know them by.
pub const WEBHOOK_SECRET: &str = "segredo-do-webhook-simulado";

/// The name of the template with values by name and quick replies, in three languages.
pub const TEMPLATE_RETURN: &str = "retorno_atendimento";
/// The name of the template with a picture above, values by number and a link that ends with a value.
pub const TEMPLATE_DELIVERY: &str = "pedido_a_caminho";
/// The name of the template with a value in its heading and three quick replies.
pub const TEMPLATE_SURVEY: &str = "pesquisa_satisfacao";
/// The name of the template with a document above and values by name.
pub const TEMPLATE_INVOICE: &str = "boleto_disponivel";
/// The name of the template of advertising, with a code to copy.
pub const TEMPLATE_OFFER: &str = "oferta_do_mes";
/// The name of a template that Meta paused.
pub const TEMPLATE_PAUSED: &str = "lembrete_pausado";
/// The name of a template that Meta rejected.
pub const TEMPLATE_REJECTED: &str = "modelo_recusado";

/// The company's number at a provider, in digits.
pub fn number(provider: Provider) -> &'static str {
    match provider {
        Provider::Cloud => "551140028922",
        Provider::Dialog360 => "551140000001",
        Provider::Gupshup => "551140000002",
        Provider::Zenvia => "551140000003",
        Provider::Twilio => "551140000004",
        Provider::Erp => "551140000000",
    }
}

/// What the company's program must be told of its account at a provider of WhatsApp, whose API is at
/// `base_url`; nothing for the ERP, which is none.
pub fn account(provider: Provider, base_url: &str) -> Option<Value> {
    let number = number(provider);
    Some(match provider {
        Provider::Cloud => json!({
            "provider": "cloud", "phone_number_id": PHONE_NUMBER_ID, "waba_id": WABA_ID,
            "access_token": ACCESS_TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN,
            "base_url": base_url,
        }),
        Provider::Dialog360 => json!({
            "provider": "dialog360", "api_key": D360_API_KEY, "portfolio_id": D360_WABA_ID,
            "webhook_secret": WEBHOOK_SECRET, "base_url": base_url,
        }),
        Provider::Gupshup => json!({
            "provider": "gupshup", "app": GUPSHUP_APP, "app_id": GUPSHUP_APP_ID, "number": number,
            "api_key": GUPSHUP_API_KEY, "webhook_secret": WEBHOOK_SECRET, "base_url": base_url,
        }),
        Provider::Zenvia => json!({
            "provider": "zenvia", "number": number, "api_token": ZENVIA_API_TOKEN,
            "webhook_secret": WEBHOOK_SECRET, "base_url": base_url,
        }),
        Provider::Twilio => json!({
            "provider": "twilio", "account_sid": TWILIO_ACCOUNT_SID, "number": number,
            "auth_token": TWILIO_AUTH_TOKEN, "base_url": base_url, "content_url": base_url,
        }),
        Provider::Erp => return None,
    })
}

/// Headers that the company wants to see on webhooks of a provider that signs nothing.
pub fn webhook_headers(provider: Provider) -> &'static [(&'static str, &'static str)] {
    match provider {
        Provider::Dialog360 | Provider::Gupshup | Provider::Zenvia => {
            &[("x-ramal-secret", WEBHOOK_SECRET)]
        }
        Provider::Cloud | Provider::Twilio | Provider::Erp => &[],
    }
}

/// Files that customers have at hand: id, type, name, bytes.
pub const SAMPLES: [(&str, &str, &str, &[u8]); 3] = [
    (
        SAMPLE_PICTURE,
        "image/png",
        "foto-do-pacote.png",
        include_bytes!("page/foto.png"),
    ),
    (
        SAMPLE_VOICE,
        "audio/ogg; codecs=opus",
        "mensagem-de-voz.ogg",
        include_bytes!("page/voz.ogg"),
    ),
    (
        SAMPLE_DOCUMENT,
        "application/pdf",
        "boleto.pdf",
        include_bytes!("page/boleto.pdf"),
    ),
];

/// A picture of a parcel that came broken.
pub const SAMPLE_PICTURE: &str = "100000000000001";
/// Five seconds of somebody who asks for their parcel.
pub const SAMPLE_VOICE: &str = "100000000000002";
/// A bill without worth.
pub const SAMPLE_DOCUMENT: &str = "100000000000003";

/// The sample that stands for a file of a kind.
pub fn sample_file(shape: Shape) -> &'static str {
    match shape {
        Shape::Image | Shape::Sticker | Shape::Video => SAMPLE_PICTURE,
        Shape::Audio => SAMPLE_VOICE,
        Shape::Document => SAMPLE_DOCUMENT,
    }
}

/// The customers.
pub fn customers() -> Vec<Customer> {
    let marina = Customer::new("marina", "Marina Alves", "5511987654321");
    // WhatsApp has many numbers from outside of São Paulo and Rio without their ninth digit.
    let mut carlos = Customer::new("carlos", "Carlos Lima", "5531961234567");
    "553161234567".clone_into(&mut carlos.wa_id);
    let mut julia = Customer::new("julia", "Júlia Prado", "5521987654321");
    julia.username = Some("julia.prado".to_owned());
    julia.hides_phone = true;
    let mut antonio = Customer::new("antonio", "Seu Antônio", "5511912345678");
    antonio.hides_reading = true;
    let lucia = Customer::new("lucia", "Lucía Gómez", "5491155550199");
    let emily = Customer::new("emily", "Emily Carter", "15551234567");
    let mut everybody = vec![marina, carlos, julia, antonio, lucia, emily];
    for (index, customer) in everybody.iter_mut().enumerate() {
        customer.user_id = format!("BR.150257639465584{index}");
    }
    everybody
}

/// The templates, at each provider as it has them.
pub fn templates() -> Vec<Template> {
    let mut all = vec![];
    for provider in Provider::WHATSAPP {
        for (index, template) in of_meta().into_iter().enumerate() {
            let template = match provider {
                Provider::Gupshup => template.numbered(false),
                Provider::Twilio => template.numbered(true),
                // All values of a template have one place here: no two may have the same number.
                Provider::Zenvia if !template.is_named() => template.numbered(true),
                Provider::Cloud | Provider::Dialog360 | Provider::Zenvia | Provider::Erp => {
                    template
                }
            };
            let meta_id = format!("15940000000{:05}", index + 1);
            let id = match provider {
                Provider::Gupshup | Provider::Zenvia => {
                    let prefix = if provider == Provider::Gupshup {
                        "a1"
                    } else {
                        "b2"
                    };
                    format!("{prefix}000000-0000-4000-8000-{:012}", index + 1)
                }
                Provider::Twilio => format!("HX{:032}", index + 1),
                Provider::Cloud | Provider::Dialog360 | Provider::Erp => meta_id.clone(),
            };
            all.push(Template {
                id,
                meta_id,
                provider,
                ..template
            });
        }
    }
    all
}

fn of_meta() -> Vec<Template> {
    vec![
        template(TEMPLATE_RETURN, "pt_BR", "Olá, {{nome}}! Retomamos o seu atendimento de protocolo {{protocolo}}. Podemos continuar por aqui?")
            .replies(&["Sim, continuar", "Não preciso mais"]),
        template(TEMPLATE_RETURN, "en_US", "Hello, {{nome}}! We are back to your request number {{protocolo}}. Shall we go on here?")
            .replies(&["Yes, go on", "No longer needed"]),
        template(TEMPLATE_RETURN, "es", "¡Hola, {{nome}}! Retomamos su atención con protocolo {{protocolo}}. ¿Seguimos por aquí?")
            .replies(&["Sí, seguir", "Ya no hace falta"]),
        template(TEMPLATE_DELIVERY, "pt_BR", "Oi, {{1}}! O pedido {{2}} saiu para entrega e chega {{3}}, até as 18h.")
            .above(Header::File(Shape::Image))
            .below("Loja Exemplo · mensagem automática")
            .link("Acompanhar pedido", "https://loja.example/pedidos/{{1}}"),
        template(TEMPLATE_SURVEY, "pt_BR", "Olá, {{1}}! Como foi o seu atendimento hoje? Leva um toque só.")
            .above(Header::Text("Protocolo {{1}}".to_owned()))
            .replies(&["Ótimo", "Regular", "Ruim"]),
        template(TEMPLATE_INVOICE, "pt_BR", "Olá, {{nome}}. Segue o boleto de {{valor}} com vencimento em {{vencimento}}, em anexo.")
            .above(Header::File(Shape::Document))
            .below("Se já pagou, desconsidere.")
            .replies(&["Falar com atendente"])
            .link("Segunda via", "https://loja.example/boletos"),
        template(TEMPLATE_OFFER, "pt_BR", "Oi, {{1}}! Só até domingo: {{2}} de desconto na loja toda. Use o cupom abaixo.")
            .of_category("MARKETING")
            .above(Header::Text("Ofertas do mês".to_owned()))
            .below("Para não receber mais, toque em Parar.")
            .code("PRIMAVERA10")
            .replies(&["Parar de receber"]),
        template(TEMPLATE_PAUSED, "pt_BR", "Oi, {{1}}! Sentimos a sua falta por aqui.")
            .of_category("MARKETING")
            .in_state(TemplateState::Paused, None),
        template(TEMPLATE_REJECTED, "pt_BR", "{{1}} {{2}}")
            .in_state(TemplateState::Rejected, Some("INVALID_FORMAT")),
    ]
}

fn template(name: &str, language: &str, body: &str) -> Template {
    Template {
        id: String::new(),
        meta_id: String::new(),
        provider: Provider::Cloud,
        name: name.to_owned(),
        language: language.to_owned(),
        category: "UTILITY".to_owned(),
        state: TemplateState::Approved,
        reason: None,
        header: None,
        body: body.to_owned(),
        footer: None,
        buttons: vec![],
    }
}

impl Template {
    fn above(self, header: Header) -> Self {
        let header = Some(header);
        Self { header, ..self }
    }

    fn below(self, footer: &str) -> Self {
        let footer = Some(footer.to_owned());
        Self { footer, ..self }
    }

    fn replies(mut self, texts: &[&str]) -> Self {
        let replies = texts.iter().map(|text| Button::QuickReply {
            text: (*text).to_owned(),
        });
        self.buttons.extend(replies);
        self
    }

    fn link(mut self, text: &str, url: &str) -> Self {
        let (text, url) = (text.to_owned(), url.to_owned());
        self.buttons.push(Button::Url { text, url });
        self
    }

    fn code(mut self, example: &str) -> Self {
        let example = example.to_owned();
        self.buttons.push(Button::CopyCode { example });
        self
    }

    fn of_category(self, category: &str) -> Self {
        let category = category.to_owned();
        Self { category, ..self }
    }

    fn in_state(self, state: TemplateState, reason: Option<&str>) -> Self {
        let reason = reason.map(str::to_owned);
        Self {
            state,
            reason,
            ..self
        }
    }
}
