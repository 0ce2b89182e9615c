//! Reports as tables that spreadsheets open: with `;`, and numbers as they are written in the language of whoever
//! asks.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use channels::webchat::survey::QuestionKind;

use super::super::problem::Tongue;
use super::agents::AgentTime;
use super::figures::{Report, ReportRow, share};
use super::surveys::SurveyReport;

/// By what a report tells its rows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Service,
    Agent,
    Channel,
    Hour,
    Day,
}

/// A table that a browser keeps as a file.
pub(super) fn answer(name: &str, table: String) -> impl IntoResponse {
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ),
    ];
    (headers, table)
}

/// Figures, and in the last line all of them together.
pub(super) fn figures(report: &Report, what: What, tongue: Tongue) -> String {
    let mut head = vec![what.title(tongue)];
    head.extend((what == What::Channel).then(|| said(tongue, "Mídia", "Medium", "Medio")));
    head.extend(FIGURES.iter().map(|(pt, en, es)| said(tongue, pt, en, es)));
    if what == What::Agent {
        head.extend(TIMES.iter().map(|(pt, en, es)| said(tongue, pt, en, es)));
    }
    let mut table = begin(&head);
    for row in &report.items {
        let name = row.name.clone().unwrap_or_else(|| what.shown(&row.key));
        table.push_str(&line(&cells(row, what, name, tongue)));
    }
    let all = said(tongue, "Total", "Total", "Total").to_owned();
    table.push_str(&line(&cells(&report.total, what, all, tongue)));
    table
}

fn cells(row: &ReportRow, what: What, name: String, tongue: Tongue) -> Vec<String> {
    let figures = &row.figures;
    let average =
        |sum_ms: i64, count: i64| sum_ms.checked_div(count).map(clock).unwrap_or_default();
    let handled = |sum_ms: i64| average(sum_ms, figures.handled);
    let part = |part: i64, whole: i64| {
        let share = share(part, whole);
        share
            .map(|share| percent(share, tongue))
            .unwrap_or_default()
    };
    let mut cells = vec![name];
    cells.extend((what == What::Channel).then(|| row.medium.clone().unwrap_or_default()));
    cells.extend([
        figures.offered.to_string(),
        figures.answered.to_string(),
        figures.abandoned.to_string(),
        figures.left_soon.to_string(),
        figures.closed.to_string(),
        figures.moved.to_string(),
        part(figures.in_target, figures.targeted),
        part(figures.abandoned, figures.offered - figures.left_soon),
        average(figures.waited_ms, figures.answered),
        clock(figures.waited_max_ms),
        average(figures.abandoned_ms, figures.abandoned),
        figures.handled.to_string(),
        figures.transferred.to_string(),
        handled(figures.talked_ms),
        handled(figures.held_ms),
        handled(figures.wrapped_ms),
        handled(figures.talked_ms + figures.wrapped_ms),
    ]);
    if what == What::Agent {
        let AgentTime {
            available_ms,
            paused_ms,
            lost_ms,
            busy_ms,
            occupancy,
            pauses: _,
            calls_placed,
            calls_reached,
            calls_talk_ms,
        } = row.time.clone().unwrap_or_default();
        let is_total = row.time.is_none();
        let time = [
            clock(available_ms),
            clock(paused_ms),
            clock(lost_ms),
            clock(busy_ms),
            occupancy
                .map(|share| percent(share, tongue))
                .unwrap_or_default(),
            calls_placed.to_string(),
            calls_reached.to_string(),
            clock(calls_talk_ms),
        ];
        cells.extend(time.map(|cell| if is_total { String::new() } else { cell }));
    }
    cells
}

/// Questions, and what was answered.
pub(super) fn surveys(report: &SurveyReport, tongue: Tongue) -> String {
    let head: Vec<&str> = SURVEYS
        .iter()
        .map(|(pt, en, es)| said(tongue, pt, en, es))
        .collect();
    let mut table = begin(&head);
    for row in &report.items {
        let number = |value: Option<f64>| {
            value
                .map(|value| decimal(&format!("{value:.2}"), tongue))
                .unwrap_or_default()
        };
        let given = row.counts.iter().filter(|one| !one.answer.is_empty());
        let given: Vec<String> = given
            .map(|one| format!("{}: {}", one.answer, one.count))
            .collect();
        table.push_str(&line(&[
            row.name.clone().unwrap_or_else(|| row.survey.clone()),
            row.text.clone().unwrap_or_else(|| row.question.clone()),
            kind(row.kind, tongue).to_owned(),
            row.answers.to_string(),
            number(row.average),
            row.csat
                .map(|share| percent(share, tongue))
                .unwrap_or_default(),
            number(row.nps),
            given.join(", "),
        ]));
    }
    table
}

fn kind(kind: QuestionKind, tongue: Tongue) -> &'static str {
    match kind {
        QuestionKind::Stars => said(tongue, "Estrelas", "Stars", "Estrellas"),
        QuestionKind::Nps => "NPS",
        QuestionKind::Choice => said(tongue, "Escolha", "Choice", "Opción"),
        QuestionKind::Text => said(tongue, "Texto", "Text", "Texto"),
    }
}

impl What {
    fn title(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Service => said(tongue, "Serviço", "Service", "Servicio"),
            Self::Agent => said(tongue, "Atendente", "Agent", "Agente"),
            Self::Channel => said(tongue, "Canal", "Channel", "Canal"),
            Self::Hour => said(tongue, "Hora", "Hour", "Hora"),
            Self::Day => said(tongue, "Dia", "Day", "Día"),
        }
    }

    /// A key that has no name.
    fn shown(self, key: &str) -> String {
        match self {
            Self::Hour => format!("{key:0>2}:00"),
            Self::Service | Self::Agent | Self::Channel | Self::Day => key.to_owned(),
        }
    }
}

fn said<'a>(tongue: Tongue, portuguese: &'a str, english: &'a str, spanish: &'a str) -> &'a str {
    match tongue {
        Tongue::Portuguese => portuguese,
        Tongue::English => english,
        Tongue::Spanish => spanish,
    }
}

/// Spreadsheets believe that a table is UTF-8 when it begins with this.
fn begin(head: &[&str]) -> String {
    let head: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
    format!("\u{feff}{}", line(&head))
}

pub(in crate::http) fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(";"))
}

/// A cell that a spreadsheet shows and never computes: whoever calls chooses their own name. A number may be
/// below zero.
fn cell(text: &str) -> String {
    let is_number = text
        .trim_start_matches('-')
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b",.".contains(&byte));
    let guard = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') if !is_number => "'",
        Some(_) | None => "",
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// `01:02:03`, with more than 24 hours where it lasts longer.
fn clock(ms: i64) -> String {
    let seconds = (ms + 500) / 1000;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn percent(share: f64, tongue: Tongue) -> String {
    decimal(&format!("{:.1}%", share * 100.0), tongue)
}

fn decimal(number: &str, tongue: Tongue) -> String {
    match tongue {
        Tongue::Portuguese | Tongue::Spanish => number.replace('.', ","),
        Tongue::English => number.to_owned(),
    }
}

const FIGURES: [(&str, &str, &str); 17] = [
    ("Oferecidos", "Offered", "Ofrecidos"),
    ("Atendidos", "Answered", "Atendidos"),
    ("Abandonados", "Abandoned", "Abandonados"),
    ("Desistências curtas", "Left soon", "Abandonos cortos"),
    ("Não atendidos", "Turned away", "No atendidos"),
    ("Transbordados", "Overflowed", "Desbordados"),
    ("Nível de serviço", "Service level", "Nivel de servicio"),
    ("Taxa de abandono", "Abandonment", "Tasa de abandono"),
    ("Espera média", "Average wait", "Espera media"),
    ("Maior espera", "Longest wait", "Mayor espera"),
    (
        "Espera média dos abandonos",
        "Average wait of the abandoned",
        "Espera media de los abandonos",
    ),
    ("Atendimentos", "Handled", "Atenciones"),
    ("Transferidos", "Transferred", "Transferidos"),
    (
        "Tempo médio de conversa",
        "Average talk",
        "Conversación media",
    ),
    (
        "Tempo médio em espera na ligação",
        "Average hold",
        "Retención media",
    ),
    (
        "Tempo médio de pós-atendimento",
        "Average wrap-up",
        "Cierre medio",
    ),
    ("TMA", "Average handle time", "TMO"),
];

const TIMES: [(&str, &str, &str); 8] = [
    ("Tempo disponível", "Available", "Tiempo disponible"),
    ("Tempo em pausa", "Paused", "Tiempo en pausa"),
    (
        "Tempo sem conexão",
        "Without connection",
        "Tiempo sin conexión",
    ),
    ("Tempo ocupado", "Busy", "Tiempo ocupado"),
    ("Ocupação", "Occupancy", "Ocupación"),
    ("Ligações feitas", "Calls placed", "Llamadas hechas"),
    ("Ligações completadas", "Calls reached", "Llamadas logradas"),
    (
        "Tempo nas ligações feitas",
        "Time in calls placed",
        "Tiempo en llamadas hechas",
    ),
];

const SURVEYS: [(&str, &str, &str); 8] = [
    ("Pesquisa", "Survey", "Encuesta"),
    ("Pergunta", "Question", "Pregunta"),
    ("Tipo", "Kind", "Tipo"),
    ("Respostas", "Answers", "Respuestas"),
    ("Média", "Average", "Promedio"),
    ("CSAT", "CSAT", "CSAT"),
    ("NPS", "NPS", "NPS"),
    ("Distribuição", "Distribution", "Distribución"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_a_number_stays_one() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("-1+1"), "\"'-1+1\"");
        assert_eq!(cell("-12,50"), "\"-12,50\"");
        assert_eq!(cell("Ana; \"A\""), "\"Ana; \"\"A\"\"\"");
    }

    #[test]
    fn times_and_shares_are_written_as_people_write_them() {
        assert_eq!(clock(3_723_499), "01:02:03");
        assert_eq!(clock(100 * 3_600_000), "100:00:00");
        assert_eq!(percent(0.625, Tongue::Portuguese), "62,5%");
        assert_eq!(percent(0.625, Tongue::English), "62.5%");
    }
}
