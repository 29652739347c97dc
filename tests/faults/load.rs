//! Clients that write without a pause and remember what they were told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::client::{Client, Reply};

/// Some clients at work.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<Outcome>>,
}

/// What became of their writes.
#[derive(Default)]
pub(super) struct Outcome {
    /// What was acknowledged.
    pub(super) acknowledged: BTreeMap<String, String>,
    /// What else was answered, and lost connections.
    pub(super) errors: Vec<String>,
}

impl Load {
    /// A client for each of these sockets. Each key is written once, with a value of about so many bytes.
    pub(super) fn start(sockets: &[PathBuf], bytes: usize) -> Load {
        Load::over(sockets, bytes, usize::MAX)
    }

    /// The same with so many keys for each client, written again and again.
    pub(super) fn over(sockets: &[PathBuf], bytes: usize, keys: usize) -> Load {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let writer = |(place, socket): (usize, &PathBuf)| {
            let (stop, count, socket) = (Arc::clone(&stop), Arc::clone(&count), socket.clone());
            thread::spawn(move || write(place, &socket, (bytes, keys), &stop, &count))
        };
        let threads = sockets.iter().enumerate().map(writer).collect();
        Load { stop, count, threads }
    }

    /// How many writes have been acknowledged so far.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until so many more have been.
    pub(super) fn await_more(&self, more: usize) {
        let wanted = self.count() + more;
        super::nodes::wait_until("writes go on", || self.count() >= wanted);
    }

    pub(super) fn stop(self) -> Outcome {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Outcome::default();
        for thread in self.threads {
            let outcome = thread.join().expect("a writer does not fail");
            all.acknowledged.extend(outcome.acknowledged);
            all.errors.extend(outcome.errors);
        }
        all
    }
}

fn write(
    place: usize,
    socket: &Path,
    (bytes, keys): (usize, usize),
    stop: &AtomicBool,
    count: &AtomicUsize,
) -> Outcome {
    let (mut outcome, mut client, mut number) = (Outcome::default(), None, 0_usize);
    while !stop.load(Ordering::SeqCst) {
        if client.is_none() {
            client = Client::connect(socket).ok();
        }
        let Some(connection) = client.as_mut() else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        number += 1;
        let (key, value) =
            (format!("key:{place}:{}", number % keys), format!("{number} {}", "x".repeat(bytes)));
        match connection.ask(&["SET", &key, &value]) {
            Ok(Reply::Status(_)) => {
                outcome.acknowledged.insert(key, value);
                count.fetch_add(1, Ordering::SeqCst);
            }
            Ok(other) => {
                outcome.errors.push(format!("{other:?}"));
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => {
                outcome.errors.push(error.to_string());
                client = None;
            }
        }
    }
    outcome
}

impl Outcome {
    /// Every acknowledged write is there.
    pub(super) fn assert_kept(&self, client: &mut Client) {
        assert!(!self.acknowledged.is_empty(), "something was written: {:?}", self.errors);
        for (key, value) in &self.acknowledged {
            assert_eq!(client.say(&["GET", key]), Reply::bulk(value), "{key} was acknowledged");
        }
    }
}
