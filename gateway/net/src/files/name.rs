//! Names of files, as people may be shown them and as a header may carry them.

/// The last part of a name as its sender wrote it, without what could harm whoever saves it: paths,
/// controls, letters that turn the direction of writing around (`exe.gpj` read backwards), and what
/// Windows does not take. `arquivo` where nothing is left.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let kept: String = last.chars().filter(|letter| !is_odd(*letter)).collect();
    // A name that begins with a dot is hidden; Windows takes spaces and dots at the end away.
    let kept = kept.trim().trim_start_matches('.');
    let short = shortened(kept.trim_end_matches(['.', ' ']).trim_start());
    if short.is_empty() {
        NAMELESS.to_owned()
    } else {
        short
    }
}

fn is_odd(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '<' | '>' | ':' | '"' | '|' | '?' | '*')
        || matches!(
            letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}'
        )
}

/// What is behind the last dot says how the file is opened: it stays.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LETTERS_MAX {
        return name.to_owned();
    }
    let dot = name
        .rfind('.')
        .filter(|dot| name.len() - dot <= EXTENSION_BYTES_MAX);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let room = LETTERS_MAX.saturating_sub(extension.chars().count());
    stem.chars().take(room).chain(extension.chars()).collect()
}

/// Long enough for people, short enough for every file system (255 bytes, four to a letter at worst).
const LETTERS_MAX: usize = 60;

/// `.properties` is among the longest in use.
const EXTENSION_BYTES_MAX: usize = 12;

/// What a file without a name is called.
const NAMELESS: &str = "arquivo";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_what_people_read_and_nothing_else() {
        #[rustfmt::skip]
        let rows = [
            ("Orçamento março.pdf", "Orçamento março.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ana\\foto.jpg", "foto.jpg"),
            ("..", "arquivo"),
            ("", "arquivo"),
            (".htaccess", "htaccess"),
            ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie x=1.txt"),
            ("foto\u{202e}gpj.exe", "fotogpj.exe"),
            ("nota.pdf. . ", "nota.pdf"),
            ("a\"b<c>.png", "abc.png"),
            ("nul\0o.txt", "nulo.txt"),
            ("folder/", "arquivo"),
        ];
        for (given, expected) in rows {
            assert_eq!(clean_name(given), expected, "{given:?}");
        }
        let long = format!("{}.pdf", "ç".repeat(300));
        let clean = clean_name(&long);
        assert_eq!(clean.chars().count(), LETTERS_MAX);
        assert!(clean.ends_with("ç.pdf"), "{clean}");
        assert_eq!(clean_name(&"x".repeat(300)), "x".repeat(LETTERS_MAX));
    }
}
