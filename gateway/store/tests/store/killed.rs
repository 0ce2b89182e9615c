//! What was acknowledged is there after `kill -9`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use desk::id::{CompanyId, InteractionId};
use store::{Store, Writer, changes, interactions, trail};

use crate::databases::{Postgres, Sqlite};
use crate::fixtures::{company, id, line, opened};

/// Tells the child below where to save; without it the child is no child and does nothing.
const SAVE_INTO: &str = "RAMAL_TEST_SAVE_INTO";

/// Callers that save at once, so that groups form.
const CALLERS: usize = 16;

/// The child is killed when it has acknowledged so many calls.
const ACKNOWLEDGED_MIN: usize = 400;

#[tokio::test]
async fn all_acknowledged_saves_are_there_after_kill_9_on_sqlite() {
    let database = Sqlite::new();
    acknowledged_is_saved(&database.url()).await;
}

#[tokio::test]
async fn all_acknowledged_saves_are_there_after_kill_9_on_postgresql() {
    let Some(database) = Postgres::new() else {
        return;
    };
    acknowledged_is_saved(&database.url()).await;
}

async fn acknowledged_is_saved(url: &str) {
    let store = Store::open(url).await.unwrap();
    let a = company(&store, "a").await;
    store.close().await;

    let acknowledged = save_until_killed(url);
    assert!(acknowledged.len() >= ACKNOWLEDGED_MIN);

    let store = Store::open(url).await.unwrap();
    for call in &acknowledged {
        let found = interactions::by_id(store.pool(), &a, call).await.unwrap();
        assert!(found.is_some(), "{call} was acknowledged and is lost");
        let lines = trail::list(store.pool(), &a, call, 0, 9).await.unwrap();
        assert_eq!(lines.len(), 2, "{call}: a save is there whole");
    }
    let mut db = store.begin().await.unwrap();
    let left_open = changes::close_left_open(&mut db, &id("anybody"), 99)
        .await
        .unwrap();
    db.commit().await.unwrap();
    assert!(left_open >= acknowledged.len());
    store.close().await;
}

/// Runs the child, kills it while it saves, and returns the calls it acknowledged.
fn save_until_killed(url: &str) -> Vec<InteractionId> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::child_saves_until_it_is_killed",
            "--nocapture",
        ])
        .env(SAVE_INTO, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = vec![];
    let mut killed = false;
    let output = BufReader::new(child.stdout.take().unwrap());
    // A line cut short by the kill has no end and is none.
    for text in output.split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8(text).unwrap();
        acknowledged.extend(
            text.strip_prefix("saved ")
                .and_then(|rest| rest.strip_suffix('.'))
                .map(id),
        );
        if acknowledged.len() >= ACKNOWLEDGED_MIN && !killed {
            child.kill().unwrap(); // SIGKILL
            killed = true;
        }
    }
    child.wait().unwrap();
    acknowledged
}

/// Saves calls and says so on its output, until it is killed. Does nothing in a usual test run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_saves_until_it_is_killed() {
    let Ok(url) = std::env::var(SAVE_INTO) else {
        return;
    };
    let store = Store::open(&url).await.unwrap();
    let (writer, _task) = Writer::start(store);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(save_for_ever(writer.clone(), caller));
    }
    callers.join_all().await;
}

async fn save_for_ever(writer: Writer, caller: usize) {
    let a: CompanyId = id("a");
    for n in 0.. {
        let call: InteractionId = id(&format!("call-{caller}-{n}"));
        let begun = vec![
            opened(&a, call.as_str(), n),
            line(&call, 0, n),
            line(&call, 1, n),
        ];
        writer.save(begun).await.unwrap();
        // In one write, so that lines of several callers do not mix.
        let said = format!("saved {call}.\n");
        std::io::stdout().lock().write_all(said.as_bytes()).unwrap();
    }
}
