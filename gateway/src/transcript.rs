//! What was written in an interaction, as one text or page.

use std::fmt::Write as _;

use desk::id::{CompanyId, InteractionId};
use desk::record::Direction;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use store::Store;
use store::companies;
use store::interactions::{self, Interaction};
use store::messages::{self, Message};

/// What was written in an interaction, to be read outside of here.
#[derive(Debug)]
pub struct Transcript {
    about: Interaction,
    rows: Vec<Message>,
    zone: TimeZone,
}

impl Transcript {
    /// That of an interaction of a company.
    ///
    /// # Errors
    ///
    /// Of the store.
    pub async fn of(
        store: &Store,
        company: &CompanyId,
        id: &InteractionId,
    ) -> Result<Option<Self>, store::Error> {
        let db = store.pool();
        let Some(about) = interactions::by_id(db, company, id).await? else {
            return Ok(None);
        };
        let mut rows: Vec<Message> = vec![];
        while rows.len() < MESSAGES_MAX {
            let after = rows.last().map_or(0, |last| last.seq);
            let next = messages::list(db, company, id, after, store::PAGE_MAX).await?;
            if next.is_empty() {
                break;
            }
            rows.extend(next);
        }
        let company = companies::by_id(db, company).await?;
        let zone = company.and_then(|company| TimeZone::get(&company.time_zone).ok());
        Ok(Some(Self {
            about,
            rows,
            zone: zone.unwrap_or(TimeZone::UTC),
        }))
    }

    /// The interaction that it is of.
    pub fn about(&self) -> &Interaction {
        &self.about
    }

    /// As plain text.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.about.protocol);
        for row in &self.rows {
            // Writing into a text does not fail.
            let _ = write!(
                text,
                "\n[{}] {}:\n{}\n",
                self.at(row),
                author(row),
                said(row)
            );
        }
        text
    }

    /// As a page of HTML.
    pub fn html(&self) -> String {
        let protocol = escaped(&self.about.protocol);
        let mut page = format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{protocol}</title>\n<h1>{protocol}</h1>\n"
        );
        for row in &self.rows {
            let (author, said) = (escaped(&author(row)), escaped(&said(row)));
            let said = said.replace('\n', "<br>\n");
            let at = self.at(row);
            // Writing into a text does not fail.
            let _ = writeln!(page, "<p><b>{author}</b> <time>{at}</time><br>\n{said}</p>");
        }
        page
    }

    fn at(&self, row: &Message) -> String {
        let at = Timestamp::from_millisecond(row.at_ms).unwrap_or_default();
        let local = at.to_zoned(self.zone.clone());
        local.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

fn author(row: &Message) -> String {
    let name = row.author["name"].as_str().filter(|name| !name.is_empty());
    let role = match row.direction {
        Direction::Inbound => "customer",
        Direction::Outbound => "system",
    };
    let role = row.author["kind"].as_str().unwrap_or(role);
    name.unwrap_or(role).to_owned()
}

/// The words of a message; of a file its name, of anything else what it is.
fn said(row: &Message) -> String {
    let content = &row.content;
    let text = |field: &str| content[field].as_str().filter(|text| !text.is_empty());
    let words = text("text")
        .or_else(|| text("caption"))
        .or_else(|| text("title"));
    let kind = text("kind").unwrap_or("message");
    let mut said = words.map_or_else(
        || format!("[{}]", text("name").unwrap_or(kind)),
        str::to_owned,
    );
    for file in content["attachments"].as_array().into_iter().flatten() {
        let name = file.get("name").and_then(Value::as_str);
        said.push_str(&format!("\n[{}]", name.unwrap_or("file")));
    }
    said
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Messages of one transcript: weeks of a lively conversation.
const MESSAGES_MAX: usize = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_is_never_part_of_the_page() {
        let safe = escaped("<img src=x onerror='a(\"&\")'>");
        assert_eq!(
            safe,
            "&lt;img src=x onerror=&#39;a(&quot;&amp;&quot;)&#39;&gt;"
        );
    }
}
