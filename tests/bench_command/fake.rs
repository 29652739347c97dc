//! A server of the Redis protocol that can be told to lie.
//!
//! Each connection has a thread; the store is one for all. By itself it is honest, and linearizable, since
//! one lock is held while a request is carried out. The threads end with the process.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use quorate::resp::{Bounds, RequestParser};

/// What to do about a request instead of carrying it out.
pub(crate) enum Reaction {
    /// Answers this and does nothing.
    Say(&'static str),
    /// Answers as if it had been done.
    Pretend,
    /// Answers the value before the present one.
    Stale,
    /// Answers the value with its last byte changed.
    Damage,
    /// Hangs up.
    Close,
    /// Carries it out and answers, with all the world waiting for so long.
    Stall(Duration),
    /// Carries it out, and answers byte by byte.
    InPieces,
}

/// Decides on the request of this number, whatever it is; `None` means to be honest.
type Twist = dyn Fn(u64, &[String]) -> Option<Reaction> + Send + Sync;

pub(crate) struct Fake;

#[derive(Default)]
struct Store {
    /// All values that a key has had.
    values: HashMap<String, Vec<String>>,
    requests: u64,
}

impl Fake {
    /// Serves at a path from now on.
    pub(crate) fn start(
        path: &str,
        twist: impl Fn(u64, &[String]) -> Option<Reaction> + Send + Sync + 'static,
    ) {
        let _ = fs::remove_file(path);
        let listener = UnixListener::bind(path).expect("a folder of ours");
        let (twist, store): (Arc<Twist>, _) = (Arc::new(twist), Arc::new(Mutex::new(Store::default())));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, twist, store) = (stream.expect("a connection"), twist.clone(), store.clone());
                // A client that has gone away is no failure.
                thread::spawn(move || drop(serve(stream, &*twist, &store)));
            }
        });
    }
}

fn serve(mut stream: UnixStream, twist: &Twist, store: &Mutex<Store>) -> std::io::Result<()> {
    let mut parser = RequestParser::new();
    let (mut input, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let step = parser.parse(&input, &Bounds::default()).expect("a request");
        let words = step.request.map(|request| {
            request.iter().map(|word| String::from_utf8(word.to_vec()).expect("text")).collect::<Vec<_>>()
        });
        let used = step.used;
        input.drain(..used);
        match words {
            Some(words) if !answer(&mut stream, &words, twist, store)? => return Ok(()),
            Some(_) => {}
            None => match stream.read(&mut chunk)? {
                0 => return Ok(()),
                count => input.extend_from_slice(&chunk[..count]),
            },
        }
    }
}

/// Whether the connection goes on.
fn answer(
    stream: &mut UnixStream,
    words: &[String],
    twist: &Twist,
    store: &Mutex<Store>,
) -> std::io::Result<bool> {
    let mut store = store.lock().expect("nobody panics");
    store.requests += 1;
    let reaction = twist(store.requests - 1, words);
    match reaction {
        Some(Reaction::Close) => return Ok(false),
        Some(Reaction::Say(text)) => stream.write_all(text.as_bytes())?,
        Some(Reaction::InPieces) => {
            for byte in store.carry_out(words).as_bytes() {
                stream.write_all(&[*byte])?;
                thread::yield_now();
            }
        }
        Some(Reaction::Stall(time)) => {
            thread::sleep(time);
            stream.write_all(store.carry_out(words).as_bytes())?;
        }
        Some(Reaction::Pretend) => stream.write_all(store.pretend(words).as_bytes())?,
        Some(Reaction::Stale) => stream.write_all(bulk(store.value(words, 1)).as_bytes())?,
        Some(Reaction::Damage) => {
            let mut value = store.value(words, 0).cloned();
            if let Some(value) = &mut value {
                value.pop();
                value.push('!');
            }
            stream.write_all(bulk(value.as_ref()).as_bytes())?;
        }
        None => stream.write_all(store.carry_out(words).as_bytes())?,
    }
    Ok(true)
}

impl Store {
    fn carry_out(&mut self, words: &[String]) -> String {
        match words[0].as_str() {
            "PING" => return "+PONG\r\n".to_owned(),
            "GET" => return bulk(self.value(words, 0)),
            "SET" => self.values.entry(words[1].clone()).or_default().push(words[2].clone()),
            "INCR" => {
                let next = self.next(words).to_string();
                self.values.entry(words[1].clone()).or_default().push(next);
                return format!(":{}\r\n", self.value(words, 0).expect("there is one now"));
            }
            other => return format!("-ERR unknown command '{other}'\r\n"),
        }
        "+OK\r\n".to_owned()
    }

    fn pretend(&self, words: &[String]) -> String {
        if words[0] == "INCR" { format!(":{}\r\n", self.next(words)) } else { "+OK\r\n".to_owned() }
    }

    /// What a counter would count next.
    fn next(&self, words: &[String]) -> i64 {
        self.value(words, 0).map_or(0, |number| number.parse::<i64>().expect("a counter")) + 1
    }

    /// The value of a key, or one from so many writes before.
    fn value(&self, words: &[String], before: usize) -> Option<&String> {
        let values = self.values.get(&words[1])?;
        values.len().checked_sub(1 + before).map(|place| &values[place])
    }
}

fn bulk(value: Option<&String>) -> String {
    value.map_or("$-1\r\n".to_owned(), |value| format!("${}\r\n{value}\r\n", value.len()))
}
