//! Tables of customers as spreadsheets write them: cells between `;`, one customer a line.
//!
//! ```text
//!  bytes, in any pieces ─ Reader::push ─▶ lines of cells ─ Columns::person ─▶ Person
//!                                                    ▲ the first line names the columns
//! ```
//!
//! A cell may stand in quotes, and then hold `;`, quotes (doubled) and line ends. Text is UTF-8, or
//! what is left of Windows-1252 in old spreadsheets. Memory holds one line, never the table.

use std::collections::BTreeMap;

/// Why a table cannot be read on from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A line is longer than any customer: a quote was opened and never closed.
    #[error("line {line} is longer than {LINE_BYTES_MAX} bytes: a quote is not closed")]
    LineTooLong {
        /// Which, counted from 1.
        line: u64,
    },
    /// The table ends within quotes: a part of it is missing.
    #[error("a quote is opened in line {line} and never closed")]
    QuoteOpen {
        /// Where the last line begins, counted from 1.
        line: u64,
    },
    /// The first line must name the columns.
    #[error("the first line does not name a column `nome`")]
    NoNames,
}

/// One line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins, counted from 1 in lines of the file.
    pub number: u64,
    /// What is in it.
    pub cells: Vec<String>,
}

/// Cuts bytes into lines of cells.
#[derive(Debug)]
pub struct Reader {
    state: State,
    cell: Vec<u8>,
    cells: Vec<String>,
    /// Bytes of the line so far.
    length: usize,
    line: u64,
    begun_at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellBegin,
    Bare,
    Quoted,
    /// A quote within quotes: the end of the cell, or half of a doubled one.
    QuoteInQuotes,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            state: State::CellBegin,
            cell: vec![],
            cells: vec![],
            length: 0,
            line: 1,
            begun_at: 1,
        }
    }
}

impl Reader {
    /// Takes the next bytes; the lines that they complete are appended to `lines`.
    ///
    /// # Errors
    ///
    /// [`TableError::LineTooLong`]. Nothing can be read after that.
    pub fn push(&mut self, bytes: &[u8], lines: &mut Vec<Line>) -> Result<(), TableError> {
        for byte in bytes {
            self.take(*byte, lines);
            if self.length > LINE_BYTES_MAX {
                return Err(TableError::LineTooLong {
                    line: self.begun_at,
                });
            }
        }
        Ok(())
    }

    /// The table is over: its last line may lack its end.
    ///
    /// # Errors
    ///
    /// [`TableError::QuoteOpen`].
    pub fn finish(mut self) -> Result<Option<Line>, TableError> {
        if self.state == State::Quoted {
            return Err(TableError::QuoteOpen {
                line: self.begun_at,
            });
        }
        let mut lines = vec![];
        self.end_line(&mut lines);
        Ok(lines.pop())
    }

    fn take(&mut self, byte: u8, lines: &mut Vec<Line>) {
        self.length += 1;
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::QuoteInQuotes,
            (State::Quoted, byte) => {
                self.line += u64::from(byte == b'\n');
                self.cell.push(byte);
            }
            (State::QuoteInQuotes, b'"') => {
                self.cell.push(b'"');
                self.state = State::Quoted;
            }
            (State::CellBegin, b'"') => self.state = State::Quoted,
            (State::Bare, b'"') if self.cell == BYTE_ORDER_MARK.as_bytes() => {
                self.cell.clear();
                self.state = State::Quoted;
            }
            (State::CellBegin | State::Bare | State::QuoteInQuotes, b';') => self.end_cell(),
            (State::CellBegin | State::Bare | State::QuoteInQuotes, b'\n') => {
                self.line += 1;
                self.end_line(lines);
            }
            (State::CellBegin | State::Bare | State::QuoteInQuotes, byte) => {
                self.cell.push(byte);
                self.state = State::Bare;
            }
        }
    }

    fn end_cell(&mut self) {
        let bytes = std::mem::take(&mut self.cell);
        let text = text(&bytes);
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        self.cells.push(text.trim().to_owned());
        self.state = State::CellBegin;
    }

    /// Lines without any text are no lines.
    fn end_line(&mut self, lines: &mut Vec<Line>) {
        self.end_cell();
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().any(|cell| !cell.is_empty()) {
            let number = self.begun_at;
            lines.push(Line { number, cells });
        }
        self.length = 0;
        self.begun_at = self.line;
    }
}

/// UTF-8, or else each byte as the letter that old spreadsheets meant.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A customer as a table tells of them, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The telephones, in their order.
    pub phones: Vec<String>,
    /// The e-mail addresses.
    pub emails: Vec<String>,
    /// The CPF, or empty.
    pub cpf: String,
    /// The CNPJ, or empty.
    pub cnpj: String,
    /// The e-mail address of the agent who owns them, or empty.
    pub owner: String,
    /// The points of priority, or empty.
    pub priority: String,
    /// The language, or empty.
    pub language: String,
    /// Notes.
    pub notes: String,
    /// Fields of the company's own, by their names.
    pub fields: BTreeMap<String, String>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Name,
    Phone,
    Email,
    Cpf,
    Cnpj,
    Owner,
    Priority,
    Language,
    Notes,
    /// `["Campo","Valor"|"Campo2","Valor2"]`.
    Fields,
    /// Any other: a field of the company's own with the name of the column.
    Field(String),
}

/// What the columns of a table hold, as its first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Reads the names of the columns, in Portuguese, English or Spanish; unknown names are fields of
    /// the company's own.
    ///
    /// # Errors
    ///
    /// [`TableError::NoNames`] where none of them is the name's.
    pub fn of(line: &Line) -> Result<Self, TableError> {
        let columns: Vec<Column> = line.cells.iter().map(|cell| column(cell)).collect();
        if !columns.contains(&Column::Name) {
            return Err(TableError::NoNames);
        }
        Ok(Self(columns))
    }

    /// The customer that a line tells of. Cells behind the last column are left out.
    pub fn person(&self, line: &Line) -> Person {
        let mut person = Person::default();
        let cells = self.0.iter().zip(&line.cells);
        for (column, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
            let cell = unguarded(cell).to_owned();
            match column {
                Column::Name => person.name = cell,
                Column::Phone => person.phones.push(cell),
                Column::Email => person.emails.push(cell),
                Column::Cpf => person.cpf = cell,
                Column::Cnpj => person.cnpj = cell,
                Column::Owner => person.owner = cell,
                Column::Priority => person.priority = cell,
                Column::Language => person.language = cell,
                Column::Notes => person.notes = cell,
                Column::Fields => person.fields.extend(fields(&cell)),
                Column::Field(name) => {
                    person.fields.insert(name.clone(), cell);
                }
            }
        }
        person
    }
}

fn column(name: &str) -> Column {
    let folded = super::fold(name);
    let bare = folded.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == ' ');
    match bare {
        "nome" | "name" | "nombre" => Column::Name,
        "telefone" | "fone" | "celular" | "phone" | "telefono" => Column::Phone,
        "email" | "e-mail" | "correo" => Column::Email,
        "cpf" => Column::Cpf,
        "cnpj" => Column::Cnpj,
        "responsavel" | "carteira" | "owner" | "responsable" => Column::Owner,
        "prioridade" | "priority" | "prioridad" => Column::Priority,
        "idioma" | "language" => Column::Language,
        "observacoes" | "observacao" | "notes" | "notas" => Column::Notes,
        "campos" | "campos personalizados" | "custom fields" | "campos personalizados (csv)" => {
            Column::Fields
        }
        _ => Column::Field(name.to_owned()),
    }
}

/// Reads `["Campo","Valor"|"Campo2","Valor2"]`; what is not in pairs is left out.
fn fields(cell: &str) -> BTreeMap<String, String> {
    let inner = cell.trim().trim_start_matches('[').trim_end_matches(']');
    let pairs = parts(inner, '|').into_iter().filter_map(|pair| {
        let names: [&str; 2] = parts(pair, ',').try_into().ok()?;
        Some(names.map(unquoted).into())
    });
    let pairs = pairs.filter(|(name, _): &(String, String)| !name.is_empty());
    pairs.collect()
}

/// Cuts text at marks that are not within quotes.
fn parts(text: &str, mark: char) -> Vec<&str> {
    let mut within = false;
    let cut = |letter: char| {
        within ^= letter == '"';
        letter == mark && !within
    };
    text.split(cut).collect()
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text).replace("\"\"", "\"")
}

/// Without the mark that keeps a spreadsheet from computing it ([`cell`]).
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA_BEGINS) => rest,
        Some(_) | None => text,
    }
}

/// The first line of a table that we write, for `line`.
pub fn header() -> String {
    let phones = (1..=PHONES_MAX).map(|n| format!("Telefone{n}"));
    let names = ["Nome".to_owned()].into_iter().chain(phones);
    let rest = [
        "Email",
        "CNPJ",
        "Responsavel",
        "Prioridade",
        "Idioma",
        "Observacoes",
        "Campos",
    ];
    written(names.chain(rest.map(str::to_owned)))
}

/// A customer as a line of a table. A CPF cannot be told: only its hash is known.
pub fn line(person: &Person) -> String {
    let phones = (0..PHONES_MAX).map(|n| person.phones.get(n).cloned().unwrap_or_default());
    let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
    let pair = |(name, value): (&String, &String)| format!("{},{}", quoted(name), quoted(value));
    let pairs: Vec<String> = person.fields.iter().map(pair).collect();
    let fields = match pairs.is_empty() {
        true => String::new(),
        false => format!("[{}]", pairs.join("|")),
    };
    let rest = [
        person.emails.first().cloned().unwrap_or_default(),
        person.cnpj.clone(),
        person.owner.clone(),
        person.priority.clone(),
        person.language.clone(),
        person.notes.clone(),
        fields,
    ];
    written([person.name.clone()].into_iter().chain(phones).chain(rest))
}

fn written(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    format!("{}\r\n", cells.join(";"))
}

/// A cell that a spreadsheet shows and never computes: customers choose their own names.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(FORMULA_BEGINS) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// What a spreadsheet takes for a formula.
const FORMULA_BEGINS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Telephones of a line.
pub const PHONES_MAX: usize = 10;

/// Bytes of a line: ten telephones and a page of notes have room in it.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// What spreadsheets put before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(pieces: &[&[u8]]) -> Vec<Vec<String>> {
        let (mut reader, mut lines) = (Reader::default(), vec![]);
        for piece in pieces {
            reader.push(piece, &mut lines).expect("short lines");
        }
        lines.extend(reader.finish().expect("no open quote"));
        lines.into_iter().map(|line| line.cells).collect()
    }

    #[test]
    fn cells_are_read_however_the_bytes_are_cut() {
        let table = "\u{feff}Nome;Telefone\r\n\"Silva; \"\"Zé\"\"\n& Cia\" ; 11 \r\n\r\n;;\nAna;\"\"\nÚltima;1".as_bytes();
        let expected = [
            vec!["Nome", "Telefone"],
            vec!["Silva; \"Zé\"\n& Cia", "11"],
            vec!["Ana", ""],
            vec!["Última", "1"],
        ];
        assert_eq!(lines_of(&[table]), expected);
        for at in 0..table.len() {
            let (before, behind) = table.split_at(at);
            assert_eq!(lines_of(&[before, behind]), expected, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = table.chunks(1).collect();
        assert_eq!(lines_of(&bytes), expected);
    }

    #[test]
    fn a_line_is_counted_in_lines_of_the_file() {
        let (mut reader, mut lines) = (Reader::default(), vec![]);
        reader
            .push(b"nome\n\n\"a\nb\"\nc\n", &mut lines)
            .expect("short lines");
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 3, 5]);
        assert_eq!(reader.finish(), Ok(None));
    }

    #[test]
    fn a_table_that_ends_within_quotes_is_not_whole() {
        let (mut reader, mut lines) = (Reader::default(), vec![]);
        reader
            .push(b"nome\n\"Ana", &mut lines)
            .expect("short lines");
        assert_eq!(reader.finish(), Err(TableError::QuoteOpen { line: 2 }));
        let marked = "\u{feff}\"Nome\";\"a\"\"\"".as_bytes();
        assert_eq!(lines_of(&[marked]), [["Nome", "a\""]]);
    }

    #[test]
    fn an_old_spreadsheet_s_letters_are_read() {
        assert_eq!(
            lines_of(&[b"Concei\xe7\xe3o;Jos\xe9"]),
            [["Conceição", "José"]]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_ends_the_reading_and_not_the_memory() {
        let (mut reader, mut lines) = (Reader::default(), vec![]);
        reader.push(b"nome\n\"", &mut lines).expect("short lines");
        let mut pushed = 0;
        let why = loop {
            pushed += 1_000;
            if let Err(why) = reader.push(&[b'\n'; 1_000], &mut lines) {
                break why;
            }
        };
        assert_eq!(why, TableError::LineTooLong { line: 2 });
        assert!(pushed <= LINE_BYTES_MAX + 1_000, "{pushed}");
    }

    #[test]
    fn a_person_is_read_by_the_names_of_the_columns() {
        let table = "Nome;Telefone 1;Celular;E-mail;CPF;Gênero;Campos personalizados;Responsável;Prioridade\n\
            Ana;11 1;'+55 2;a@b.com;529;Female;[\"Plano\",\"Ouro\"|\"Desde\",\"2020, maio\"];bia@b.com;-3;tarde demais\n";
        let (mut reader, mut read) = (Reader::default(), vec![]);
        reader
            .push(table.as_bytes(), &mut read)
            .expect("short lines");
        let columns = Columns::of(&read[0]).expect("names");
        let person = columns.person(&read[1]);
        let fields = [
            ("Desde", "2020, maio"),
            ("Gênero", "Female"),
            ("Plano", "Ouro"),
        ];
        let expected = Person {
            name: "Ana".into(),
            phones: vec!["11 1".into(), "+55 2".into()],
            emails: vec!["a@b.com".into()],
            cpf: "529".into(),
            owner: "bia@b.com".into(),
            priority: "-3".into(),
            fields: fields
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            ..Person::default()
        };
        assert_eq!(person, expected);
        let nameless = Line {
            number: 1,
            cells: vec!["Telefone".into()],
        };
        assert_eq!(Columns::of(&nameless), Err(TableError::NoNames));
    }

    #[test]
    fn what_is_written_is_read_again_and_computes_nothing() {
        let person = Person {
            name: "=1+1; \"Zé\"".into(),
            phones: (0..PHONES_MAX)
                .map(|n| format!("+551131230{n:03}"))
                .collect(),
            emails: vec!["a@b.com".into()],
            cnpj: "12ABC34501DE35".into(),
            priority: "-3".into(),
            notes: "duas\nlinhas".into(),
            fields: [
                ("Plano \"A\"".into(), "1, 2".into()),
                ("b".into(), "c".into()),
            ]
            .into(),
            ..Person::default()
        };
        let table = format!("{}{}", header(), line(&person));
        assert!(table.contains("\"'=1+1; ") && table.contains("\"'+5511"));
        let (mut reader, mut read) = (Reader::default(), vec![]);
        reader
            .push(table.as_bytes(), &mut read)
            .expect("short lines");
        let columns = Columns::of(&read[0]).expect("names");
        assert_eq!(columns.person(&read[1]), person);
    }
}
