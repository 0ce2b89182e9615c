//! What a server says in IMAP (RFC 3501 section 7), as values.
//!
//! A reply is a line, and wherever a line ends in `{n}` the next `n` bytes belong to it, and a line
//! after them. It was collected within limits before it comes here.

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// It waits for more of the command: `+ …`.
    Continue(String),
    /// How a command ended, or news of the connection.
    Status(Status),
    /// What was asked for, or changed by itself: `* …`.
    Data(Vec<Value>),
}

/// How a command ended (RFC 3501 section 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// Of which command; none is news.
    pub(super) tag: Option<String>,
    pub(super) condition: Condition,
    /// What stands in brackets, for programs: `UIDVALIDITY 7`. Empty if nothing does.
    pub(super) code: String,
    /// What stands there for people.
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Ok,
    No,
    Bad,
    /// The server ends the conversation.
    Bye,
    /// The server knows us already.
    PreAuth,
}

/// A value within a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A word, with what stands in brackets behind it: `BODY[HEADER.FIELDS (MESSAGE-ID)]`. `NIL` too.
    Word(String),
    /// Text in quotes, or by its length.
    Text(Vec<u8>),
    List(Vec<Value>),
}

/// Why a reply is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

impl Value {
    /// The word, in capitals.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_ascii_uppercase()),
            Self::Text(_) | Self::List(_) => None,
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        match self {
            Self::Word(word) => word.parse().ok(),
            Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Text, however it was said.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Word(word) if word.eq_ignore_ascii_case("NIL") => None,
            Self::Word(word) => Some(word.clone()),
            Self::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Self::List(_) => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            Self::Word(_) | Self::Text(_) => None,
        }
    }
}

/// The length that a line ends in: so many bytes follow it.
pub(super) fn literal(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inner)?;
    let digits = std::str::from_utf8(inner.get(open + 1..)?).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // A number that no memory holds is a length too: the caller judges it.
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}

/// Reads a reply: its lines (all but the last end in the length of a literal), and the literals.
pub(super) fn parse(lines: &[Vec<u8>], literals: Vec<Vec<u8>>) -> Result<Reply, Malformed> {
    let first = lines.first().ok_or(Malformed("no reply"))?;
    let text = String::from_utf8_lossy(first);
    if let Some(text) = text.strip_prefix('+') {
        return Ok(Reply::Continue(text.trim_start().to_owned()));
    }
    let (tag, rest) = text
        .split_once(' ')
        .ok_or(Malformed("a reply of one word"))?;
    let is_news = tag == "*";
    if let Some(status) = status(rest) {
        let tag = (!is_news).then(|| tag.to_owned());
        return Ok(Reply::Status(Status { tag, ..status }));
    }
    if !is_news {
        return Err(Malformed("the end of a command without a result"));
    }
    let mut reader = Reader {
        lines,
        literals: literals.into_iter(),
        line: 0,
        at: 2,
    };
    Ok(Reply::Data(reader.values(0)?))
}

fn status(rest: &str) -> Option<Status> {
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let condition = match word.to_ascii_uppercase().as_str() {
        "OK" => Condition::Ok,
        "NO" => Condition::No,
        "BAD" => Condition::Bad,
        "BYE" => Condition::Bye,
        "PREAUTH" => Condition::PreAuth,
        _ => return None,
    };
    let coded = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (code, text) = coded.unwrap_or(("", rest));
    let shown = text
        .trim()
        .chars()
        .filter(|character| !character.is_control());
    Some(Status {
        tag: None,
        condition,
        code: code.to_owned(),
        text: shown.take(TEXT_CHARS_MAX).collect(),
    })
}

struct Reader<'a> {
    lines: &'a [Vec<u8>],
    literals: std::vec::IntoIter<Vec<u8>>,
    /// Which line.
    line: usize,
    /// Where in it.
    at: usize,
}

impl Reader<'_> {
    /// The values up to the end of the list at this depth, or of the reply at depth 0.
    fn values(&mut self, depth: usize) -> Result<Vec<Value>, Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed("lists within lists within lists"));
        }
        let mut values = vec![];
        loop {
            match self.peek() {
                Some(b' ') => self.at += 1,
                Some(b'(') => {
                    self.at += 1;
                    values.push(Value::List(self.values(depth + 1)?));
                }
                Some(b')') if depth > 0 => {
                    self.at += 1;
                    return Ok(values);
                }
                Some(b')') => return Err(Malformed("the end of no list")),
                Some(b'"') => values.push(self.quoted()?),
                Some(b'{') if self.is_literal() => {
                    let literal = self.literals.next().ok_or(Malformed("no literal"))?;
                    values.push(Value::Text(literal));
                    self.line += 1;
                    self.at = 0;
                }
                Some(_) => values.push(self.word()),
                None if depth == 0 => return Ok(values),
                None => return Err(Malformed("a list without an end")),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.lines.get(self.line)?.get(self.at).copied()
    }

    /// Whether the length of a literal stands here, at the end of the line.
    fn is_literal(&self) -> bool {
        let rest = self
            .lines
            .get(self.line)
            .and_then(|line| line.get(self.at..));
        let is_number = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
        rest.and_then(|rest| rest.strip_prefix(b"{")?.strip_suffix(b"}"))
            .is_some_and(is_number)
    }

    fn quoted(&mut self) -> Result<Value, Malformed> {
        let mut text = vec![];
        self.at += 1;
        loop {
            let byte = self.peek().ok_or(Malformed("quotes without an end"))?;
            self.at += 1;
            match byte {
                b'"' => return Ok(Value::Text(text)),
                b'\\' => {
                    text.push(self.peek().ok_or(Malformed("quotes without an end"))?);
                    self.at += 1;
                }
                byte => text.push(byte),
            }
        }
    }

    fn word(&mut self) -> Value {
        let mut word = vec![];
        let mut in_brackets = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => in_brackets = true,
                b']' => in_brackets = false,
                b' ' | b'(' | b')' if !in_brackets => break,
                _ => {}
            }
            word.push(byte);
            self.at += 1;
        }
        Value::Word(String::from_utf8_lossy(&word).into_owned())
    }
}

/// `BODYSTRUCTURE` goes deep, and is not asked for; flags and envelopes do not.
const DEPTH_MAX: usize = 8;
/// What a line of the log holds.
const TEXT_CHARS_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], literals: &[&str]) -> Result<Reply, Malformed> {
        let bytes = |texts: &[&str]| -> Vec<Vec<u8>> {
            texts.iter().map(|text| text.as_bytes().to_vec()).collect()
        };
        parse(&bytes(lines), bytes(literals))
    }

    fn word(text: &str) -> Value {
        Value::Word(text.to_owned())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn a_mail_is_read_with_its_literal() {
        let reply = read(
            &[
                "* 12 FETCH (UID 7 FLAGS (\\Seen $Forwarded) BODY[HEADER.FIELDS (MESSAGE-ID)] {5}",
                " RFC822.SIZE 44)",
            ],
            &["a)\r\n\""],
        );
        let flags = Value::List(vec![word("\\Seen"), word("$Forwarded")]);
        let items = vec![
            word("UID"),
            word("7"),
            word("FLAGS"),
            flags,
            word("BODY[HEADER.FIELDS (MESSAGE-ID)]"),
            text("a)\r\n\""),
            word("RFC822.SIZE"),
            word("44"),
        ];
        let expected = vec![word("12"), word("FETCH"), Value::List(items)];
        assert_eq!(reply, Ok(Reply::Data(expected)));
    }

    #[test]
    fn how_a_command_ended_is_read_with_its_code_and_its_words() {
        let reply = read(
            &["a7 NO [AUTHENTICATIONFAILED] Authentication (really) failed."],
            &[],
        );
        assert_eq!(
            reply,
            Ok(Reply::Status(Status {
                tag: Some("a7".to_owned()),
                condition: Condition::No,
                code: "AUTHENTICATIONFAILED".to_owned(),
                text: "Authentication (really) failed.".to_owned(),
            }))
        );
        let reply = read(&["* OK [UIDVALIDITY 3857529045] UIDs valid"], &[]);
        let Ok(Reply::Status(status)) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(
            (status.tag, status.code.as_str()),
            (None, "UIDVALIDITY 3857529045")
        );
        assert_eq!(
            read(&["+ idling"], &[]),
            Ok(Reply::Continue("idling".to_owned()))
        );
        assert_eq!(read(&["+"], &[]), Ok(Reply::Continue(String::new())));
    }

    #[test]
    fn quotes_and_escapes_are_undone() {
        let reply = read(
            &[r#"* LIST (\HasNoChildren \Sent) "/" "Itens \"enviados\"""#],
            &[],
        );
        let Ok(Reply::Data(values)) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(values.last(), Some(&text("Itens \"enviados\"")));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for lines in [
            &["oi"][..],
            &["a1 what"],
            &["* 1 FETCH (UID 1"],
            &["* 1 FETCH UID 1)"],
            &["* LIST \"x"],
            &["* LIST \"x\\"],
            &["* ((((((((((((((((x))))))))))))))))"],
            &["* 1 FETCH (BODY[] {5}"],
        ] {
            assert!(read(lines, &[]).is_err(), "{lines:?}");
        }
        assert!(parse(&[], vec![]).is_err());
    }

    #[test]
    fn the_length_of_a_literal_is_seen_at_the_end_of_a_line_alone() {
        assert_eq!(literal(b"* 1 FETCH (BODY[] {120}"), Some(120));
        assert_eq!(literal(b"{99999999999999999999999999}"), Some(usize::MAX));
        for none in [&b"{12} x"[..], b"{}", b"{-1}", b"{1a}", b"}", b"12}", b""] {
            assert_eq!(literal(none), None);
        }
    }
}
