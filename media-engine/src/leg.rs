//! One party's media: what a media thread visits every 20 ms.
