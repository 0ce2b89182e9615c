//! The cable between a browser and the program, which can be pulled and plugged in again while both run on.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A cable. Dropped, it is pulled for good.
pub(crate) struct Cable {
    /// Where the browser's end is.
    pub(crate) end: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_pulled: bool,
    /// What runs through it, both ways.
    running: Vec<TcpStream>,
}

impl Cable {
    /// A cable that leads to `program`.
    pub(crate) fn to(program: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let end = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let known = Arc::clone(&state);
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                // Where nobody is reached, the connection just ends.
                let _ = join(&known, browser, program);
            }
        });
        Self { end, state }
    }

    /// Nothing passes any more.
    pub(crate) fn pull(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_pulled = true;
        for stream in state.running.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// It is as before.
    pub(crate) fn plug(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_pulled = false;
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.pull();
    }
}

fn join(state: &Mutex<State>, browser: TcpStream, program: SocketAddr) -> io::Result<()> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.is_pulled {
        return browser.shutdown(Shutdown::Both);
    }
    let program = TcpStream::connect(program)?;
    for (from, to) in [(&browser, &program), (&program, &browser)] {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || carry(from, to));
    }
    state.running.extend([browser, program]);
    Ok(())
}

/// Carries what comes from one side to the other, until either goes.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut piece = [0; PIECE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// As much as is carried at once.
const PIECE_BYTES: usize = 16 * 1_024;
