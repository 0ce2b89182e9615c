//! The HTTP API, in process: the whole router over a database of its own and real telephony.

mod access;
mod agents;
mod contacts;
mod desks;
mod live;
mod mail;
mod outbound;
mod program;
mod providers;
mod recordings;
mod rules;
mod sip_ladders;
mod story;
mod uploads;
mod webchat;
mod whatsapp;
mod world;
mod written;
