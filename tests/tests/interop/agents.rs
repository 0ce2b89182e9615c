//! A caller reaches a person: two softphones, one of them an agent's.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::time::Duration;

use desk::record::{EndedBy, InteractionState, TrailKind};

use crate::baresip::Baresip;
use crate::peers;
use crate::server::{Server, until};

#[test]
fn a_caller_waits_an_agent_answers_they_hear_each_other_and_either_hangs_up() {
    if !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let agent = server.log_in("ana");
    assert_eq!(agent.state()["presence"], "offline");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut phone = Baresip::start(&server, "ana", &says(folder.path(), AGENT_HZ));
    phone.wait_until_registered();
    let mut caller = Baresip::start(&server, "bruno", &says(folder.path(), CALLER_HZ));
    caller.wait_until_registered();
    caller.command("dial", &format!("sip:4000@{}", server.udp));
    caller.wait_for("CALL_ESTABLISHED");
    caller.command("sndcode", "1");
    until(Duration::from_secs(20), "the caller waits", || {
        let records = server.records();
        let call = &records.first()?.call;
        (call.state == InteractionState::Waiting).then_some(())
    });

    agent.is("available");
    phone.wait_for("CALL_INCOMING");
    assert_eq!(agent.state()["in_hand"][0]["doing"], "offered");
    phone.command("accept", "");
    phone.wait_for("CALL_ESTABLISHED");
    until(Duration::from_secs(20), "they talk", || {
        let records = server.records();
        let call = &records.first()?.call;
        (call.state == InteractionState::Talking).then_some(())
    });
    std::thread::sleep(TALK);
    phone.command("hangup", "");
    caller.wait_for("CALL_CLOSED");
    assert_eq!(agent.state()["in_hand"][0]["doing"], "wrapping up");
    until(Duration::from_secs(20), "she is free again", || {
        let state = agent.state();
        let free = state["in_hand"].as_array()?.is_empty();
        (free && state["presence"] == "available").then_some(())
    });

    let records = server.ended_records(1);
    let recorded = &records[0];
    assert_eq!(recorded.call.ended_by, Some(EndedBy::Agent));
    assert_eq!(recorded.call.cause.as_deref(), Some("hung_up"));
    let answered = recorded.lines(TrailKind::AgentAnswered);
    assert_eq!(answered[0]["name"], "Ana", "{recorded:?}");
    let (heard_by_agent, heard_by_caller) = (phone.recording(), caller.recording());
    for (heard, said) in [(&heard_by_agent, CALLER_HZ), (&heard_by_caller, AGENT_HZ)] {
        let seconds = seconds_of(said, heard);
        assert!(seconds > 1.5, "{said} Hz for {seconds} s in {heard:?}");
    }
    // Nobody hears themselves.
    assert!(seconds_of(AGENT_HZ, &heard_by_agent) < 0.2);
    assert!(seconds_of(CALLER_HZ, &heard_by_caller) < 0.2);
}

/// A minute of a tone as a WAV file of 16 bits and 8 kHz: the source of a softphone that says it.
fn says(folder: &Path, hertz: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "8,000 fits")]
    let sample = |at: u32| ((TAU * hertz * f64::from(at) / 8_000.0).sin() * 8_000.0) as i16;
    let samples: Vec<u8> = (0..480_000)
        .flat_map(|at| sample(at).to_le_bytes())
        .collect();
    let length = u32::try_from(samples.len()).expect("short");
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    let file = folder.join(format!("{hertz}.wav"));
    fs::write(&file, wav).expect("a file of ours");
    format!("aufile,{}", file.display())
}

/// For how long a WAV file of 16 bits and 8 kHz holds this tone and little else.
fn seconds_of(hertz: f64, file: &Path) -> f64 {
    let bytes = fs::read(file).expect("a recording");
    let samples: Vec<f64> = bytes[44..]
        .chunks_exact(2)
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])))
        .collect();
    let is_tone = |part: &&[f64]| {
        let (mut along, mut across, mut all) = (0.0, 0.0, 0.0);
        for (sample, at) in part.iter().zip(0_u32..) {
            let angle = TAU * hertz * f64::from(at) / 8_000.0;
            along += sample * angle.cos();
            across += sample * angle.sin();
            all += sample * sample;
        }
        let length = f64::from(u32::try_from(part.len()).expect("short"));
        let tone = (along * along + across * across) * 2.0 / length;
        all / length > 10_000.0 && tone > 0.8 * all
    };
    let parts = samples.chunks_exact(800).filter(is_tone).count();
    f64::from(u32::try_from(parts).expect("short")) / 10.0
}

const TALK: Duration = Duration::from_secs(3);

const CALLER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;
