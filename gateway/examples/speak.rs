//! Speaks texts into WAV files, as callers would hear them in wide band.
//!
//! ```sh
//! printf 'pt-BR\tespeak:pt-br+f2\tola.wav\tOlá!\n' | cargo run -p ramal --example speak -- ./data
//! ```
//!
//! Each line names the language, the voice (nothing: the best one), the file and the text.
//! `cargo xtask sounds` makes `sounds/` with it.

use std::error::Error;
use std::io::BufRead;
use std::path::PathBuf;

use ivr::Language;
use media_engine::audio::prompt::Prompt;
use ramal::voices::{Speech, Voices, edges};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args_os().nth(1).unwrap_or("data".into());
    let voices = Voices::discover(&PathBuf::from(data)).await;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.splitn(4, '\t').collect();
        let &[language, voice, file, text] = fields.as_slice() else {
            return Err(format!("not four fields: {line}").into());
        };
        let language = Language::from_tag(language).ok_or("no such language")?;
        let voice = match voice {
            "" => None,
            name => Some(name.parse()?),
        };
        let speech = Speech {
            text: text.to_owned(),
            language,
            voice,
            speed: 1.0,
        };
        let spoken = edges::tidy(voices.speak(&speech).await?, text);
        std::fs::write(file, Prompt::new(&spoken)?.wav())?;
    }
    Ok(())
}
