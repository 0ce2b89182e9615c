//! The HTTP API, in process: the whole router over a database of its own and real telephony.

mod access;
mod agents;
mod console;
mod contacts;
mod desks;
mod flow_trials;
mod interactions;
mod live;
mod mail;
mod outbound;
mod profiles;
mod program;
mod providers;
mod recordings;
mod reports;
mod rules;
mod second_factor;
mod sip_ladders;
mod story;
mod uploads;
mod webchat;
mod whatsapp;
mod world;
mod written;
