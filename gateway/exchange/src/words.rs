//! Words of a flow and of a queue, as clips.

use ivr::Language;
use ivr::words::{self, Word};

use crate::clip::Clip;

/// "Você é a terceira pessoa da fila."
pub(crate) fn position(language: Language, place: usize) -> impl Iterator<Item = Clip> {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    words::position(language, place)
        .into_iter()
        .map(move |word| clip(language, word))
}

/// "O tempo estimado de espera é de dois minutos."
pub(crate) fn wait(language: Language, minutes: u32) -> impl Iterator<Item = Clip> {
    words::wait(language, minutes)
        .into_iter()
        .map(move |word| clip(language, word))
}

/// A word that ships.
pub(crate) fn clip(language: Language, word: Word) -> Clip {
    Clip::Sound {
        language,
        name: word.name,
        text: word.text,
    }
}
