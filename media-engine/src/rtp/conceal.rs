//! Hiding lost frames (after ITU-T G.711 Appendix I).
