//! The E-model (ITU-T G.107): from loss, delay and codec to R and MOS.
