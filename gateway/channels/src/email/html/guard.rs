//! Refuses HTML that would take a parser hours or gigabytes, before the parser sees it.
//!
//! A parser of HTML opens formatting elements anew in each paragraph after they were left open
//! (HTML section 13.2.4.3), so that a megabyte of `<b>` and `</p>` becomes a thousand million
//! elements; and it walks the open elements for each new one. This counts beside the tags what both
//! would cost. The count is not below a parser's: where it is unsure whether an end tag is one, or
//! whether it reaches what it names, it takes it for none.

use std::collections::BTreeMap;

/// Whether HTML can be parsed at a cost that does not matter.
pub fn is_safe_to_parse(html: &str) -> bool {
    html.len() <= HTML_BYTES_MAX && Scan::new(html.as_bytes()).run()
}

/// What lies between an end tag and what it could close: nothing reaches out of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wall {
    Document,
    Table,
    Cell,
    Other,
}

/// The elements open within one wall, by name.
#[derive(Debug)]
struct Room {
    wall: Wall,
    open: BTreeMap<Vec<u8>, usize>,
}

struct Scan<'a> {
    rest: &'a [u8],
    rooms: Vec<Room>,
    open: usize,
    formatting: usize,
    /// Behind something that a parser reads by other rules: nothing closes any more.
    doubtful: bool,
    walked: usize,
    made: usize,
}

impl<'a> Scan<'a> {
    fn new(html: &'a [u8]) -> Self {
        Self {
            rest: html,
            rooms: vec![Room {
                wall: Wall::Document,
                open: BTreeMap::new(),
            }],
            open: 0,
            formatting: 0,
            doubtful: false,
            walked: 0,
            made: 0,
        }
    }

    fn run(mut self) -> bool {
        while let Some(at) = memchr::memchr(b'<', self.rest) {
            self.skip(at + 1);
            match self.rest.first() {
                Some(b'!') => self.comment(),
                Some(b'/') => {
                    self.skip(1);
                    let name = self.name();
                    self.tag_rest();
                    self.close(&name);
                }
                Some(first) if first.is_ascii_alphabetic() => self.open_tag(),
                Some(_) | None => continue,
            }
            self.walked += self.open + self.formatting;
            self.made += 1 + self.formatting;
            if self.open > OPEN_MAX || self.walked > WALKED_MAX || self.made > MADE_MAX {
                return false;
            }
        }
        true
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn name(&mut self) -> Vec<u8> {
        let end = self
            .rest
            .iter()
            .position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
            .unwrap_or(self.rest.len());
        let name = self.rest.get(..end.min(NAME_BYTES_MAX)).unwrap_or_default();
        let name = name.to_ascii_lowercase();
        self.skip(end);
        name
    }

    /// Passes a comment. What opens in it is counted, for elsewhere it would be none.
    fn comment(&mut self) {
        let end: &[u8] = if self.rest.starts_with(b"!--") {
            b"-->"
        } else {
            b">"
        };
        let until = memchr::memmem::find(self.rest, end).unwrap_or(self.rest.len());
        self.hidden(until);
    }

    /// Passes what a parser takes for text, as far as is known here.
    fn hidden(&mut self, until: usize) {
        let after = self.rest.get(until..).unwrap_or_default();
        self.rest = self.rest.get(..until).unwrap_or(self.rest);
        let mut names = vec![];
        while let Some(at) = memchr::memchr(b'<', self.rest) {
            self.skip(at + 1);
            if self.rest.first().is_some_and(u8::is_ascii_alphabetic) {
                names.push(self.name());
            }
        }
        // Conditional comments of Outlook hold a few tables; a crowd is there for another purpose.
        if names.iter().filter(|name| is_formatting(name)).count() > HIDDEN_MAX {
            self.doubtful = true;
            for name in &names {
                self.count(name);
            }
        }
        self.rest = after;
    }

    fn open_tag(&mut self) {
        let name = self.name();
        self.tag_rest();
        if matches!(
            name.as_slice(),
            b"td" | b"th" | b"caption" | b"tr" | b"tbody" | b"thead" | b"tfoot"
        ) {
            self.leave_cell();
        }
        self.count(&name);
        match name.as_slice() {
            b"svg" | b"math" | b"select" | b"noscript" | b"frameset" | b"plaintext"
            | b"template" => {
                self.doubtful = true;
            }
            b"table" => self.enter(Wall::Table),
            b"object" | b"applet" | b"marquee" => self.enter(Wall::Other),
            b"td" | b"th" | b"caption" if self.wall() == Wall::Table => self.enter(Wall::Cell),
            _ => {}
        }
        if RAW.contains(&name.as_slice()) {
            self.raw(&name);
        }
    }

    fn wall(&self) -> Wall {
        self.rooms.last().map_or(Wall::Document, |room| room.wall)
    }

    fn enter(&mut self, wall: Wall) {
        self.rooms.push(Room {
            wall,
            open: BTreeMap::new(),
        });
    }

    /// The end of a cell ends what was left open in it (HTML section 13.2.6.4.15).
    fn leave_cell(&mut self) {
        if self.wall() == Wall::Cell && !self.doubtful {
            self.leave(true);
        }
    }

    fn leave(&mut self, formatting_too: bool) {
        let Some(room) = self.rooms.pop() else {
            return;
        };
        for (name, count) in room.open {
            if !is_formatting(&name) {
                self.open = self.open.saturating_sub(count);
            } else if formatting_too {
                self.formatting = self.formatting.saturating_sub(count);
            } else if let Some(outer) = self.rooms.last_mut() {
                *outer.open.entry(name).or_default() += count;
            }
        }
    }

    fn count(&mut self, name: &[u8]) {
        if SHORT.contains(&name) {
            return;
        }
        let Some(room) = self.rooms.last_mut() else {
            return;
        };
        let open = room.open.entry(name.to_vec()).or_default();
        // A link ends the link before it (HTML section 13.2.6.4.7).
        if name == b"a" && *open > 0 {
            return;
        }
        *open += 1;
        if is_formatting(name) {
            self.formatting += 1;
        } else {
            self.open += 1;
        }
    }

    fn close(&mut self, name: &[u8]) {
        if self.doubtful {
            return;
        }
        match name {
            b"td" | b"th" | b"caption" | b"tr" | b"tbody" | b"thead" | b"tfoot" => {
                self.leave_cell()
            }
            b"table" => {
                self.leave_cell();
                if self.wall() == Wall::Table {
                    self.leave(false);
                    self.uncount(name);
                }
            }
            b"object" | b"applet" | b"marquee" => {
                if self.wall() == Wall::Other {
                    self.leave(true);
                    self.uncount(name);
                }
            }
            _ => self.uncount(name),
        }
    }

    fn uncount(&mut self, name: &[u8]) {
        let open = self
            .rooms
            .last_mut()
            .and_then(|room| room.open.get_mut(name));
        let Some(open) = open.filter(|open| **open > 0) else {
            return;
        };
        *open -= 1;
        if is_formatting(name) {
            self.formatting = self.formatting.saturating_sub(1);
        } else {
            self.open = self.open.saturating_sub(1);
        }
    }

    /// Passes the attributes of a tag, as the states from HTML section 13.2.5.32 on read them.
    fn tag_rest(&mut self) {
        let mut before_value = false;
        while let Some((first, after)) = self.rest.split_first() {
            self.rest = after;
            match first {
                b'>' => return,
                b'"' | b'\'' if before_value => {
                    let end = memchr::memchr(*first, after).map_or(after.len(), |end| end + 1);
                    self.skip(end);
                    before_value = false;
                }
                b'=' => {
                    before_value = true;
                    self.made += 1;
                }
                _ if first.is_ascii_whitespace() => {}
                _ => before_value = false,
            }
        }
    }

    /// Passes an element that holds text alone.
    fn raw(&mut self, name: &[u8]) {
        let mut at = 0;
        loop {
            let found = self
                .rest
                .get(at..)
                .and_then(|rest| memchr::memmem::find(rest, b"</"));
            at = found.map_or(self.rest.len(), |found| at + found);
            let tail = self
                .rest
                .get(at + 2..)
                .and_then(|tail| tail.get(..name.len()));
            if found.is_none() || tail.is_some_and(|tail| tail.eq_ignore_ascii_case(name)) {
                return self.hidden(at);
            }
            at += 2;
        }
    }
}

/// Elements that a parser opens anew in each paragraph.
fn is_formatting(name: &[u8]) -> bool {
    const FORMATTING: &[&[u8]] = &[
        b"a", b"b", b"big", b"code", b"em", b"font", b"i", b"nobr", b"s", b"small", b"strike",
        b"strong", b"tt", b"u",
    ];
    FORMATTING.contains(&name)
}

/// Elements that hold nothing, or that end by themselves: left open by honest programs. They nest no
/// deeper than those that hold them.
const SHORT: &[&[u8]] = &[
    b"area",
    b"base",
    b"basefont",
    b"bgsound",
    b"br",
    b"col",
    b"embed",
    b"frame",
    b"hr",
    b"img",
    b"input",
    b"link",
    b"meta",
    b"param",
    b"source",
    b"track",
    b"wbr",
    b"p",
    b"li",
    b"td",
    b"th",
    b"tr",
    b"dt",
    b"dd",
    b"option",
    b"tbody",
    b"thead",
    b"tfoot",
    b"caption",
    b"html",
    b"head",
    b"body",
    b"colgroup",
];
/// Elements that hold text alone (HTML section 13.1.2).
const RAW: &[&[u8]] = &[
    b"script",
    b"style",
    b"textarea",
    b"title",
    b"xmp",
    b"iframe",
    b"noembed",
    b"noframes",
];

/// A long thread quoted whole has 1 MB; what is larger is shown as text.
const HTML_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Threads that quote threads nest some 200 deep.
const OPEN_MAX: usize = 1_000;
/// Steps over open elements: 100 million take less than a second.
const WALKED_MAX: usize = 100_000_000;
/// Elements and attributes made: of some 200 bytes each, they take 200 MB for a moment.
const MADE_MAX: usize = 1_000_000;
/// Formatting elements inside of one comment, style or script.
const HIDDEN_MAX: usize = 50;
/// The longest name that is looked for.
const NAME_BYTES_MAX: usize = 16;
