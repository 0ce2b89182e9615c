//! How good a call sounds, by the E-model (ITU-T G.107) from what the network did to it.
//!
//! `R = 93.2 − Id(delay) − Ie,eff(codec, loss, burstiness)`, 93.2 being a narrowband call with nothing
//! wrong; mean opinion score from R by G.107 annex B. Wideband codecs are rated on the narrowband scale,
//! so a G.722 call is never rated above G.711: the number tells about the network, not the codec.

use std::time::Duration;

use crate::codec::Codec;

/// What one direction of a call suffered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suffered {
    /// The codec.
    pub codec: Codec,
    /// Share of packets that were lost or came too late, 0 to 1.
    pub loss: f64,
    /// Mean length of the runs of lost packets, 1 for lone ones (G.107's BurstR is made from it).
    pub burst: f64,
    /// From mouth to ear, one way.
    pub delay: Duration,
}

/// A rating by the E-model.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rating {
    /// Transmission rating: 0 to 93.2. Above 80 people are satisfied, below 60 nearly all complain.
    pub r: f64,
    /// Mean opinion score, conversational quality: 1 to 4.41.
    pub mos: f64,
}

impl Suffered {
    /// Rates the direction.
    #[must_use]
    pub fn rate(&self) -> Rating {
        let r = (R_BEST - self.delay_impairment() - self.equipment_impairment()).clamp(0.0, R_BEST);
        // G.107 annex B.
        let mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
        Rating {
            r,
            mos: mos.clamp(1.0, 4.5),
        }
    }

    /// Id by the usual straight lines (Cole and Rosenbluth) through G.107's curve for an echo path
    /// loss of 65 dB: right within 1 up to 400 ms.
    fn delay_impairment(&self) -> f64 {
        let ms = self.delay.as_secs_f64() * 1_000.0;
        0.024 * ms + 0.11 * (ms - 177.3).max(0.0)
    }

    /// Ie,eff: G.107 section 7.5.
    fn equipment_impairment(&self) -> f64 {
        let (impairment, robustness) = equipment(self.codec);
        let percent = self.loss.clamp(0.0, 1.0) * 100.0;
        let burst_ratio = (self.burst * (1.0 - self.loss.clamp(0.0, 1.0))).max(1.0);
        impairment + (95.0 - impairment) * percent / (percent / burst_ratio + robustness)
    }
}

/// Ie and Bpl of G.113 appendix I: how bad a codec is by itself, and how well it bears loss.
const fn equipment(codec: Codec) -> (f64, f64) {
    match codec {
        // With concealment after appendix I of G.711.
        Codec::Pcma | Codec::Pcmu => (0.0, 25.1),
        Codec::G729 => (11.0, 19.0),
        // G.113 has no narrowband figures for these. Both conceal as well as G.729 does, and by
        // themselves are at least as good as G.711.
        Codec::G722 | Codec::Opus => (0.0, 19.0),
    }
}

/// R of G.107 with all parameters at their defaults (table 2), equipment and delay apart.
const R_BEST: f64 = 93.2;

#[cfg(test)]
mod tests {
    use super::*;

    fn suffered(codec: Codec, percent: f64, ms: u64) -> Rating {
        let delay = Duration::from_millis(ms);
        Suffered {
            codec,
            loss: percent / 100.0,
            burst: 1.0,
            delay,
        }
        .rate()
    }

    #[test]
    fn a_perfect_call_is_rated_as_the_standard_says() {
        let rating = suffered(Codec::Pcma, 0.0, 0);
        assert!((rating.r - 93.2).abs() < 1e-9);
        assert!((rating.mos - 4.41).abs() < 0.005, "{}", rating.mos);
    }

    #[test]
    fn known_points_of_the_model() {
        // 11 for the codec alone.
        assert!((suffered(Codec::G729, 0.0, 0).r - 82.2).abs() < 1e-9);
        // 95 × 1 / (1 + 25.1) of 1 % loss.
        assert!((suffered(Codec::Pcmu, 1.0, 0).r - (93.2 - 95.0 / 26.1)).abs() < 1e-9);
        // G.107's own curve gives about 8 for 250 ms of delay, echo included about 14.
        let r = suffered(Codec::Pcma, 0.0, 250).r;
        assert!((78.0..81.0).contains(&r), "{r}");
    }

    /// ITU-T G.107 annex B, and the categories of G.109.
    #[test]
    fn ratings_become_the_opinion_scores_that_the_standard_lists() {
        for (r, mos) in [
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            // So much loss of G.711 with concealment brings R down to this.
            let lost = 93.2 - r;
            let percent = 25.1 * lost / (95.0 - lost);
            let rating = suffered(Codec::Pcma, percent, 0);
            assert!((rating.r - r).abs() < 1e-9, "{}", rating.r);
            assert!((rating.mos - mos).abs() < 0.007, "R {r}: {}", rating.mos);
        }
    }

    /// Ie,eff by G.107 section 7.5 with Ie and Bpl of G.113 appendix I.
    #[test]
    fn random_loss_impairs_each_codec_as_the_standard_says() {
        for (codec, percent, impairment) in [
            (Codec::Pcmu, 5.0, 15.78),
            (Codec::Pcma, 10.0, 27.07),
            (Codec::G729, 2.0, 19.0),
            (Codec::G729, 5.0, 28.5),
        ] {
            let r = suffered(codec, percent, 0).r;
            assert!(
                (93.2 - r - impairment).abs() < 0.01,
                "{codec} {percent} %: {r}"
            );
        }
    }

    #[test]
    fn more_loss_more_delay_and_longer_bursts_are_never_better() {
        for codec in Codec::ALL {
            let mut last = 4.5;
            for percent in 0..=100 {
                let rating = suffered(codec, f64::from(percent), 50);
                assert!(rating.mos <= last && (1.0..=4.5).contains(&rating.mos));
                last = rating.mos;
            }
            for ms in (0..10_000).step_by(50) {
                let (near, far) = (suffered(codec, 1.0, ms), suffered(codec, 1.0, ms + 50));
                assert!(far.r <= near.r);
            }
            let delay = Duration::ZERO;
            let lone = Suffered {
                codec,
                loss: 0.05,
                burst: 1.0,
                delay,
            }
            .rate();
            let rows = Suffered {
                codec,
                loss: 0.05,
                burst: 4.0,
                delay,
            }
            .rate();
            assert!(rows.r < lone.r);
        }
    }
}
