//! DTMF heard in the audio (ITU-T Q.23, Q.24).
