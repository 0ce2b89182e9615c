//! Playing: from ready-made 20 ms frames to payloads of the leg's packet time, by copying.

use std::{sync::Arc, time::Duration};

use super::config::{PlayId, Playlist};
use crate::{
    audio::prompt::Frames,
    codec::{Codec, FRAME},
};

/// Packet times and what they mean for a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    /// The audio in one packet.
    pub(super) time: Duration,
    /// The same in units of the RTP clock.
    pub(super) ticks: u32,
    /// Payload bytes of one packet; `None` for Opus, where a packet is one frame.
    pub(super) bytes: Option<usize>,
}

impl Packing {
    pub(super) fn new(codec: Codec, ptime: Duration) -> Self {
        let Some(frame_bytes) = codec.frame_bytes() else {
            return Self {
                time: FRAME,
                ticks: codec.frame_ticks(),
                bytes: None,
            };
        };
        let tens = (ptime.clamp(PTIME_MIN, PTIME_MAX).as_millis() / 10).min(6);
        let tens = u32::try_from(tens).unwrap_or(2);
        Self {
            time: Duration::from_millis(10) * tens,
            ticks: codec.frame_ticks() / 2 * tens,
            bytes: Some(frame_bytes / 2 * tens as usize),
        }
    }
}

/// Where a play stands.
#[derive(Debug)]
pub(super) struct Player {
    codec: Codec,
    playing: Option<Playing>,
}

#[derive(Debug)]
struct Playing {
    play: PlayId,
    list: Playlist,
    item: usize,
    frame: usize,
    /// Bytes of the present frame that have gone out (packets of 10 and 30 ms cut frames in two).
    offset: usize,
    /// The codec changed; the list is in the old one.
    stale: bool,
}

/// What [`Player::fill`] put into a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) bytes: usize,
    /// The play whose last frame this was.
    pub(super) ended: Option<PlayId>,
}

impl Player {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            playing: None,
        }
    }

    /// Starts `list`, or goes on with it at the present place if `play` plays already.
    pub(super) fn play(&mut self, play: PlayId, list: Playlist) {
        let place = match &self.playing {
            // Frames last 20 ms in every codec, so the place is the same.
            Some(old) if old.play == play => (old.item, old.frame),
            Some(_) | None => (0, 0),
        };
        let (item, frame) = place;
        let mut playing = Playing {
            play,
            list,
            item,
            frame,
            offset: 0,
            stale: false,
        };
        playing.skip_what_is_over(self.codec);
        self.playing = Some(playing);
    }

    pub(super) fn stop(&mut self) {
        self.playing = None;
    }

    /// Whether a play is on that has something to say in this codec.
    pub(super) fn is_playing(&self) -> bool {
        self.playing.as_ref().is_some_and(|playing| !playing.stale)
    }

    /// Takes another codec; returns the play that needs its frames in it.
    pub(super) fn set_codec(&mut self, codec: Codec) -> Option<PlayId> {
        if codec == self.codec {
            return None;
        }
        self.codec = codec;
        let playing = self.playing.as_mut()?;
        playing.stale = true;
        Some(playing.play)
    }

    /// Fills the payload of one packet, silence where nothing plays. `payload` has room for the
    /// longest packet.
    #[inline]
    pub(super) fn fill(&mut self, packing: Packing, payload: &mut [u8]) -> Filled {
        let Some(wanted) = packing.bytes else {
            return self.fill_one_frame(payload);
        };
        let mut filled = Filled {
            bytes: 0,
            ended: None,
        };
        while filled.bytes < wanted {
            let Some(piece) = self
                .playing
                .as_ref()
                .and_then(|playing| playing.piece(self.codec))
            else {
                filled.ended = self.end();
                silence(self.codec, &mut payload[filled.bytes..wanted]);
                filled.bytes = wanted;
                return filled;
            };
            let length = piece.len().min(wanted - filled.bytes);
            payload[filled.bytes..filled.bytes + length].copy_from_slice(&piece[..length]);
            filled.bytes += length;
            self.advance(length);
        }
        filled.ended = self.end_if_over();
        filled
    }

    fn fill_one_frame(&mut self, payload: &mut [u8]) -> Filled {
        let mut ended = None;
        let frame = match self
            .playing
            .as_ref()
            .and_then(|playing| playing.piece(self.codec))
        {
            Some(frame) => frame,
            None => {
                ended = self.end();
                self.codec.silence()
            }
        };
        let bytes = frame.len().min(payload.len());
        payload[..bytes].copy_from_slice(&frame[..bytes]);
        self.advance(bytes);
        let ended = ended.or_else(|| self.end_if_over());
        Filled { bytes, ended }
    }

    fn advance(&mut self, length: usize) {
        if let Some(playing) = &mut self.playing {
            playing.advance(self.codec, length);
        }
    }

    /// The last frame is reported with the packet that carries it, so that what comes next can follow
    /// without a gap.
    fn end_if_over(&mut self) -> Option<PlayId> {
        let playing = self.playing.as_ref()?;
        if playing.piece(self.codec).is_some() {
            None
        } else {
            self.end()
        }
    }

    /// There is no frame to play: ends a play that is not merely waiting for another codec.
    fn end(&mut self) -> Option<PlayId> {
        if !self.is_playing() {
            return None;
        }
        self.playing.take().map(|playing| playing.play)
    }
}

impl Playing {
    /// What is left of the present frame.
    fn piece(&self, codec: Codec) -> Option<&[u8]> {
        if self.stale {
            return None;
        }
        let frames = self
            .list
            .items
            .get(self.item)
            .filter(|frames| frames.codec() == codec)?;
        frames.frame(self.frame)?.get(self.offset..)
    }

    fn advance(&mut self, codec: Codec, length: usize) {
        let Some(rest) = self.piece(codec).map(<[u8]>::len) else {
            return;
        };
        if length < rest {
            self.offset += length;
            return;
        }
        self.offset = 0;
        self.frame += 1;
        self.skip_what_is_over(codec);
    }

    /// Stands on a frame again, unless the list is at its end.
    fn skip_what_is_over(&mut self, codec: Codec) {
        while self.piece(codec).is_none() && self.item < self.list.items.len() {
            self.frame = 0;
            self.item += 1;
        }
        if self.list.repeat && self.item >= self.list.items.len() {
            self.item = self.first_with_sound(codec).unwrap_or(self.item);
        }
    }

    fn first_with_sound(&self, codec: Codec) -> Option<usize> {
        let sounds = |frames: &Arc<Frames>| frames.codec() == codec && frames.count() > 0;
        self.list.items.iter().position(sounds)
    }
}

/// Fills with silence; of the codecs that pack to any length, one frame after the other.
fn silence(codec: Codec, payload: &mut [u8]) {
    let frame = codec.silence();
    for piece in payload.chunks_mut(frame.len()) {
        piece.copy_from_slice(&frame[..piece.len()]);
    }
}

/// Packet times outside are brought in: SDP negotiation has refused or corrected them before.
const PTIME_MIN: Duration = Duration::from_millis(10);
const PTIME_MAX: Duration = Duration::from_millis(60);
