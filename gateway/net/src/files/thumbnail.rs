//! Small pictures of large ones, made in a process of their own.
//!
//! A decoder of pictures is the likeliest place in which a stranger's bytes do harm. So it runs where
//! there is nothing: no environment, no files, no sockets, little memory, little time. The program
//! starts itself with the words [`Thumbnailer`] is told; that copy calls [`run`].

use std::io::{self, Cursor, Read as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Has small pictures made.
#[derive(Clone, Debug)]
pub struct Thumbnailer {
    program: PathBuf,
    words: Vec<String>,
    time_max: Duration,
}

/// Why there is no small picture.
#[derive(Debug, thiserror::Error)]
pub enum NoThumbnail {
    /// The process could not be started, or talked to. Not the picture's fault.
    #[error("the process: {0}")]
    Process(#[from] io::Error),
    /// It took too long.
    #[error("not made in time")]
    TimedOut,
    /// It is no picture that we know, it is broken, or it is too large.
    #[error("not made of this file")]
    Refused,
}

impl Thumbnailer {
    /// Starts this program with these words.
    pub fn new(program: impl Into<PathBuf>, words: &[&str]) -> Self {
        Self {
            program: program.into(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            time_max: TIME_MAX,
        }
    }

    /// A small picture of a picture: JPEG, or PNG where it is transparent. [`takes`] says of what.
    ///
    /// # Errors
    ///
    /// [`NoThumbnail`].
    pub async fn make(&self, picture: &[u8]) -> Result<Vec<u8>, NoThumbnail> {
        let mut process = Command::new(&self.program)
            .args(&self.words)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(mut to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("no pipe").into());
        };
        let tell = async {
            // Whoever refuses a picture by its first bytes does not read the rest.
            let _ = to.write_all(picture).await;
            drop(to);
        };
        let hear = async {
            let mut small = vec![];
            let read = from.take(SMALL_BYTES_MAX + 1).read_to_end(&mut small).await;
            read.map(|_| small)
        };
        let talk = async {
            let ((), small) = tokio::join!(tell, hear);
            Ok::<_, io::Error>((small?, process.wait().await?))
        };
        let talked = tokio::time::timeout(self.time_max, talk).await;
        let (small, status) = talked.map_err(|_| NoThumbnail::TimedOut)??;
        let fits = !small.is_empty() && small.len() as u64 <= SMALL_BYTES_MAX;
        if status.success() && fits {
            Ok(small)
        } else {
            Err(NoThumbnail::Refused)
        }
    }
}

/// Whether small pictures are made of files of this type.
pub fn takes(mime: &str) -> bool {
    matches!(
        mime,
        "image/jpeg" | "image/png" | "image/gif" | "image/webp"
    )
}

/// The whole life of the process: gives up what it can do, reads a picture from its standard input and
/// writes a small one to its standard output. To be called before there is any other thread.
///
/// # Errors
///
/// Why there is none, for whoever tries by hand.
pub fn run() -> Result<(), String> {
    confine().map_err(|error| format!("limits: {error}"))?;
    let mut picture = vec![];
    let read = io::stdin()
        .take(PICTURE_BYTES_MAX + 1)
        .read_to_end(&mut picture);
    read.map_err(|error| error.to_string())?;
    if picture.len() as u64 > PICTURE_BYTES_MAX {
        return Err(format!("longer than {PICTURE_BYTES_MAX} bytes"));
    }
    let small = shrink(&picture).map_err(|error| error.to_string())?;
    let mut out = io::stdout();
    let written = out.write_all(&small).and_then(|()| out.flush());
    written.map_err(|error| error.to_string())
}

/// Gives up what decoding needs none of. Where the system lets us, the network is gone altogether; in
/// any case nothing can be opened any more, neither a file nor a socket.
fn confine() -> nix::Result<()> {
    // Containers may forbid it.
    let _ = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET);
    setrlimit(Resource::RLIMIT_AS, MEMORY_BYTES_MAX, MEMORY_BYTES_MAX)?;
    setrlimit(Resource::RLIMIT_CPU, CPU_SECONDS_MAX, CPU_SECONDS_MAX)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX)
}

/// A small picture of a picture. Its measures are judged before anything of it is decoded.
///
/// # Errors
///
/// The picture is none, is broken, is of a kind that is not taken, or has too many dots.
pub fn shrink(picture: &[u8]) -> Result<Vec<u8>, image::ImageError> {
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_DOTS_MAX);
    limits.max_image_height = Some(SIDE_DOTS_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > DOTS_MAX {
        return Err(too_large());
    }
    let orientation = decoder.orientation()?;
    let mut whole = DynamicImage::from_decoder(decoder)?;
    whole.apply_orientation(orientation);
    // A small one stays as it is.
    let fits = whole.width() <= SIDE && whole.height() <= SIDE;
    let small = if fits {
        whole
    } else {
        whole.thumbnail(SIDE, SIDE)
    };
    let mut bytes = vec![];
    if small.color().has_alpha() {
        small
            .to_rgba8()
            .write_with_encoder(PngEncoder::new(&mut bytes))?;
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        small.to_rgb8().write_with_encoder(encoder)?;
    }
    Ok(bytes)
}

/// The type of a small picture, by its bytes.
pub fn small_mime(small: &[u8]) -> &'static str {
    match image::guess_format(small) {
        Ok(ImageFormat::Png) => "image/png",
        Ok(_) | Err(_) => "image/jpeg",
    }
}

fn too_large() -> image::ImageError {
    let kind = image::error::LimitErrorKind::DimensionError;
    image::ImageError::Limits(image::error::LimitError::from_kind(kind))
}

/// The longer side of a small picture, in dots.
const SIDE: u32 = 320;

/// Of a JPEG, in percent: nobody looks closely at a small one.
const QUALITY: u8 = 80;

/// A panorama of a telephone has 16,000.
const SIDE_DOTS_MAX: u32 = 20_000;

/// 50 megapixels: the largest cameras of telephones send no more through a messenger.
const DOTS_MAX: u64 = 50_000_000;

/// Those dots at four bytes each, and what the decoder needs besides.
const DECODED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The address space, of which an allocator reserves more than it uses.
const MEMORY_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Of a processor. A picture of 50 megapixels takes one or two.
const CPU_SECONDS_MAX: u64 = 10;

/// Standard input, output and errors: they are open already.
const OPEN_FILES_MAX: u64 = 3;

/// On the wall, on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(20);

/// The largest picture that channels carry has 25 MB.
pub const PICTURE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// 320 by 320 dots at four bytes, and then some.
const SMALL_BYTES_MAX: u64 = 512 * 1024;

#[cfg(test)]
mod tests {
    use image::{GenericImageView as _, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(vec![]);
        picture.write_to(&mut bytes, format).expect("encoded");
        bytes.into_inner()
    }

    fn photo(width: u32, height: u32) -> DynamicImage {
        let dot = |x: u32, y: u32| Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 90]);
        RgbImage::from_fn(width, height, dot).into()
    }

    /// A PNG of a few bytes that claims to be of this size.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = encoded(&photo(1, 1), ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// PNG, annex D.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |mut sum: u32, byte: &u8| {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 {
                    0xedb8_8320 ^ (sum >> 1)
                } else {
                    sum >> 1
                };
            }
            sum
        };
        !bytes.iter().fold(u32::MAX, step)
    }

    #[test]
    fn a_picture_becomes_a_small_one_of_the_same_shape() {
        for format in [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let small = shrink(&encoded(&photo(1280, 640), format)).expect("made");
            let seen = image::load_from_memory(&small).expect("a picture");
            assert_eq!(seen.dimensions(), (320, 160), "{format:?}");
        }
        let tiny = shrink(&encoded(&photo(10, 20), ImageFormat::Png)).expect("made");
        assert_eq!(small_mime(&tiny), "image/jpeg");
        let seen = image::load_from_memory(&tiny).expect("a picture");
        assert_eq!(seen.dimensions(), (10, 20));
    }

    #[test]
    fn what_is_transparent_stays_so() {
        let glass: DynamicImage = RgbaImage::from_pixel(400, 400, Rgba([9, 9, 9, 0])).into();
        let small = shrink(&encoded(&glass, ImageFormat::Png)).expect("made");
        assert_eq!(small_mime(&small), "image/png");
        let seen = image::load_from_memory(&small).expect("a picture");
        assert_eq!(seen.get_pixel(0, 0).0[3], 0);
    }

    #[test]
    fn a_picture_that_claims_too_many_dots_is_refused_before_it_is_decoded() {
        // One is too wide; the other is within both sides, and too large all the same.
        for (width, height) in [(60_000, 60_000), (15_000, 15_000)] {
            let refused = shrink(&claiming(width, height));
            let limits = matches!(refused, Err(image::ImageError::Limits(_)));
            assert!(limits, "{width} by {height}: {refused:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_picture_is_refused() {
        for format in [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let whole = encoded(&photo(200, 200), format);
            for end in [0, 1, 12, 30] {
                assert!(shrink(&whole[..end]).is_err(), "{format:?} of {end} bytes");
            }
        }
        for other in [&b"hello"[..], b"%PDF-1.7", b"<svg/>", &[0xff; 1000]] {
            assert!(shrink(other).is_err());
        }
    }

    #[tokio::test]
    async fn a_process_that_hangs_floods_fails_or_is_not_there_gives_no_picture() {
        let mut hangs = Thumbnailer::new("/bin/sleep", &["60"]);
        hangs.time_max = Duration::from_millis(200);
        let late = hangs.make(b"x").await;
        assert!(matches!(late, Err(NoThumbnail::TimedOut)), "{late:?}");
        // Whoever writes without an end is not read without one.
        let floods = Thumbnailer::new("/usr/bin/yes", &[]).make(b"x").await;
        assert!(matches!(floods, Err(NoThumbnail::Refused)), "{floods:?}");
        let fails = Thumbnailer::new("/bin/false", &[])
            .make(&vec![0; 1_000_000])
            .await;
        assert!(matches!(fails, Err(NoThumbnail::Refused)), "{fails:?}");
        let gone = Thumbnailer::new("/nowhere/at/all", &[]).make(b"x").await;
        assert!(matches!(gone, Err(NoThumbnail::Process(_))), "{gone:?}");
        let empty = Thumbnailer::new("/bin/true", &[]).make(b"x").await;
        assert!(matches!(empty, Err(NoThumbnail::Refused)), "{empty:?}");
    }
}
