//! An uploaded file (mp3, wav, flac, ogg) becomes samples, or a clear error.
