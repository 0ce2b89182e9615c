//! Audio that has been decoded and not played yet, whatever codec each packet of it came in.

use super::rate::FRAME_MAX;
use crate::{
    codec::{Codec, Decoder, PACKET_SAMPLES_MAX},
    rtp::conceal::{self, Concealer},
};

/// Decoders, concealment, and the samples that wait.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The codec of the last packet; its rate is that of the samples.
    codec: Codec,
    /// Made when they are first needed, and kept: a peer may change back and forth.
    decoders: [Option<Decoder>; Codec::ALL.len()],
    concealer: Concealer,
    /// The first `queued` samples wait.
    queue: Box<[i16; QUEUE]>,
    queued: usize,
}

impl Decoded {
    pub(super) fn new(codec: Codec) -> Self {
        let mut decoders = [const { None }; Codec::ALL.len()];
        decoders[codec.index()] = Some(Decoder::new(codec));
        Self {
            codec,
            decoders,
            concealer: Concealer::new(codec.sample_rate()),
            queue: Box::new([0; QUEUE]),
            queued: 0,
        }
    }

    /// Whether there are so many frames.
    pub(super) fn has(&self, frames: usize) -> bool {
        self.queued >= frames * self.codec.frame_samples()
    }

    /// The frame that is next; there must be one.
    pub(super) fn frame(&self) -> &[i16] {
        &self.queue[..self.codec.frame_samples()]
    }

    /// All that waits, in units of the RTP clock.
    pub(super) fn ticks(&self) -> u32 {
        ticks(self.codec, self.queued)
    }

    /// Decodes a packet and returns how much audio it stands for, in units of the RTP clock.
    pub(super) fn take(&mut self, codec: Codec, payload: &[u8]) -> u32 {
        self.change_codec(codec);
        let decoder = self.decoders[codec.index()].get_or_insert_with(|| Decoder::new(codec));
        let room = &mut self.queue[self.queued..];
        match decoder.decode(payload, room) {
            Ok(length) if length > 0 => {
                self.concealer.hear(&mut room[..length]);
                self.queued += length;
                ticks(codec, length)
            }
            Ok(_) | Err(_) => {
                self.conceal();
                codec.frame_ticks()
            }
        }
    }

    /// Makes up a frame in place of one that is missing.
    pub(super) fn conceal(&mut self) {
        let frame = self.codec.frame_samples();
        let room = &mut self.queue[self.queued..self.queued + frame];
        let by_itself = self.decoders[self.codec.index()]
            .as_mut()
            .is_some_and(|decoder| decoder.conceal(room));
        if by_itself {
            self.concealer.remember(room);
        } else {
            self.concealer.conceal(room);
        }
        self.queued += frame;
    }

    /// A frame in which nobody speaks.
    pub(super) fn pause(&mut self) {
        let frame = self.codec.frame_samples();
        self.queue[self.queued..self.queued + frame].fill(0);
        self.queued += frame;
    }

    /// The next frame has been played, or is left out.
    pub(super) fn consume(&mut self) {
        let samples = self.codec.frame_samples();
        self.queue.copy_within(samples..self.queued, 0);
        self.queued -= samples;
    }

    /// Leaves out a pitch period.
    pub(super) fn shorten(&mut self) {
        self.queued = conceal::shorten(&mut self.queue[..self.queued], self.codec.sample_rate());
    }

    /// Plays a pitch period twice.
    pub(super) fn lengthen(&mut self) {
        let rate = self.codec.sample_rate();
        self.queued = conceal::lengthen(&mut self.queue[..], self.queued, rate);
    }

    /// What comes next is of another codec. What waits is brought to its rate, so that it is played
    /// to its end; it is less than two frames.
    fn change_codec(&mut self, codec: Codec) {
        let (before, now) = (self.codec.sample_rate(), codec.sample_rate());
        self.codec = codec;
        if before == now {
            return;
        }
        if before < now {
            self.queued = self.queued.min(QUEUE / 2);
            for at in (0..self.queued).rev() {
                let sample = self.queue[at];
                self.queue[2 * at] = sample;
                self.queue[2 * at + 1] = sample;
            }
            self.queued *= 2;
        } else {
            self.queued /= 2;
            for at in 0..self.queued {
                self.queue[at] = self.queue[2 * at].midpoint(self.queue[2 * at + 1]);
            }
        }
        self.concealer = Concealer::new(now);
        self.concealer.remember(&self.queue[..self.queued]);
    }
}

/// Samples of PCM in units of the RTP clock.
fn ticks(codec: Codec, samples: usize) -> u32 {
    let samples = u64::try_from(samples).unwrap_or(0);
    let ticks = samples * u64::from(codec.rtp_clock()) / u64::from(codec.sample_rate());
    u32::try_from(ticks).unwrap_or(0)
}

/// Two frames that wait, the longest packet behind them, and room to lengthen by a pitch period.
const QUEUE: usize = 2 * FRAME_MAX + PACKET_SAMPLES_MAX + FRAME_MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Encoder, FRAME_BYTES_MAX, g711};

    /// Plays frames of a constant in one codec after the other.
    fn played(codecs: &[Codec]) -> Vec<i16> {
        let mut decoded = Decoded::new(codecs[0]);
        let mut heard = vec![];
        for codec in codecs {
            let mut payload = [0; FRAME_BYTES_MAX];
            let pcm = vec![4_000; codec.frame_samples()];
            let length = Encoder::new(*codec).encode(&pcm, &mut payload);
            assert_eq!(
                decoded.take(*codec, &payload[..length]),
                codec.frame_ticks()
            );
            heard.push(decoded.queue[decoded.queued - 1]);
        }
        heard
    }

    #[test]
    fn what_waits_is_played_at_the_rate_of_what_comes() {
        let mut decoded = Decoded::new(Codec::Pcma);
        let law = g711::alaw(4_000);
        let level = g711::from_alaw(law);
        decoded.take(Codec::Pcma, &[law; 160]);
        assert_eq!((decoded.queued, decoded.ticks()), (160, 160));
        decoded.take(Codec::G722, &[0xfa; 160]);
        assert_eq!((decoded.queued, decoded.ticks()), (640, 320));
        assert_eq!(decoded.codec.sample_rate(), 16_000);
        assert!(decoded.has(2) && !decoded.has(3));
        assert_eq!(decoded.frame(), [level; 320], "the A-law at twice the rate");
        decoded.take(Codec::Pcmu, &[0xff; 160]);
        assert_eq!((decoded.queued, decoded.codec.sample_rate()), (480, 8_000));
        assert_eq!(decoded.frame(), [level; 160], "and back");
    }

    #[test]
    fn each_codec_is_decoded_by_its_own_decoder() {
        let codecs = [
            Codec::Pcma,
            Codec::Pcmu,
            Codec::Pcma,
            Codec::G722,
            Codec::Pcmu,
        ];
        for (sample, codec) in played(&codecs).into_iter().zip(codecs) {
            if codec.sample_rate() == 8_000 {
                assert!((3_900..4_100).contains(&sample), "{codec}: {sample}");
            }
        }
    }

    #[test]
    fn a_full_queue_that_doubles_stays_within_its_room() {
        let mut decoded = Decoded::new(Codec::Pcma);
        for _ in 0..QUEUE / 480 {
            decoded.take(Codec::Pcma, &[0xd5; 480]);
        }
        assert_eq!(decoded.queued, QUEUE);
        decoded.change_codec(Codec::G722);
        assert_eq!(decoded.queued, QUEUE / 2 * 2);
    }
}
