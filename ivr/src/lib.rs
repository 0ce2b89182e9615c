//! What people hear and press: flows, prompts as words, opening hours.
