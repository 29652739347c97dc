//! The same commands for a real Redis and for our parser and store, and the same answers from both.
//!
//! Random sequences with arguments that like to be wrong, so that error texts are compared as well. Runs
//! when there is a `redis-server` (7.0 is what it was written against) and says so when there is none.
//! `REDIS_DIFFERENCE_STEPS` sets the length, `REDIS_DIFFERENCE_SEED` the sequence.
//!
//! Known differences, which the generator avoids or the comparison allows for:
//!
//! * limits: values of 1 MiB instead of 512 MiB, keys per command, SETRANGE far out;
//! * INCRBYFLOAT is exact here, while Redis has 64 bits for all digits, and refuses what lies beyond 10^21
//!   or is written in hexadecimal digits;
//! * GETEX of an absent key answers nil in Redis even when a number of its options is none;
//! * a span of 292 million years is refused here some centuries before the sum with the clock overflows;
//! * unknown kinds in SCAN, the order of SCAN and KEYS, and which key RANDOMKEY picks.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quorate::kv::{Command, Operation, Store, Value, WallClock, parse};
use quorate::prng::Prng;

/// How far apart two clocks may be that are read one after the other, in milliseconds.
const TOLERANCE: i64 = 2_000;

/// Short ones and long ones, few enough to meet again.
const KEYS: &[&str] = &["a", "b", "c", "d", "user:1", "user:22", "a-key-that-does-not-fit-a-node", ""];

/// A Redis of this test's own, ended with it.
struct Redis {
    child: Child,
    folder: PathBuf,
    stream: BufReader<UnixStream>,
}

impl Redis {
    fn start() -> Option<Redis> {
        let name = format!("redis-{}", std::process::id());
        let folder = env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for the socket");
        let socket = folder.join("s");
        let mut process = Process::new("redis-server");
        process
            .args(["--port", "0", "--databases", "1", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket);
        process.arg("--dir").arg(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = process.spawn().ok()?;
        let stream = BufReader::new(connect(&socket));
        Some(Redis { child, folder, stream })
    }

    fn ask(&mut self, words: &[Vec<u8>]) -> Value {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend(format!("${}\r\n", word.len()).bytes());
            request.extend(word);
            request.extend(b"\r\n");
        }
        self.stream.get_mut().write_all(&request).expect("Redis listens");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).expect("Redis answers");
        let text =
            String::from_utf8_lossy(&line[1..]).trim_end_matches('\n').trim_end_matches('\r').to_string();
        let number = || text.parse::<i64>().expect("a number");
        match line[0] {
            b'+' if text == "OK" => Value::Okay,
            b'+' => Value::Text(text.into()),
            b'-' => Value::Error(text.into()),
            b':' => Value::Integer(number()),
            b'$' | b'*' if number() < 0 => Value::Nil,
            b'*' => Value::Array((0..number()).map(|_| self.answer()).collect()),
            b'$' => {
                let mut bytes = vec![0; usize::try_from(number()).expect("a length") + 2];
                self.stream.read_exact(&mut bytes).expect("as many bytes as were announced");
                bytes.truncate(bytes.len() - 2);
                Value::Bytes(bytes.into())
            }
            other => panic!("a RESP type {other}"),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn connect(socket: &Path) -> UnixStream {
    for _ in 0..500 {
        if let Ok(stream) = UnixStream::connect(socket) {
            return stream;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("redis-server does not listen");
}

fn now() -> WallClock {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    WallClock(u64::try_from(since.as_millis()).expect("before the end of time"))
}

/// Our answer: parsed, encoded, decoded and applied, as on its way through a log.
fn ask_store(store: &mut Store, words: &[Vec<u8>]) -> Value {
    let name = String::from_utf8_lossy(&words[0]).to_lowercase();
    let arguments: Vec<&[u8]> = words[1..].iter().map(Vec::as_slice).collect();
    let operation = match parse(&name, &arguments) {
        Ok(operation) => operation,
        Err(error) => return error,
    };
    let is_read = operation.is_read();
    let logged = if is_read { Operation::Expire } else { operation.clone() };
    let command = Command { stamp: now(), once: None, operations: vec![logged] };
    let size = command.encode().len();
    assert!(is_read || size <= operation.bytes() + 32, "{operation:?} takes {size} bytes");
    let mut values = store.apply(Command::decode(&command.encode()));
    if is_read { store.read(&operation) } else { values.remove(0) }
}

/// Commands as a client with bad manners makes them up.
struct Client {
    prng: Prng,
    /// Moments are told relative to this, so that equal ones are equal for both.
    start: u64,
}

impl Client {
    fn below(&mut self, bound: usize) -> usize {
        self.prng.place(bound)
    }

    fn one_of(&mut self, choices: &[&str]) -> String {
        let place = self.below(choices.len());
        choices[place].to_string()
    }

    fn key(&mut self) -> String {
        self.one_of(KEYS)
    }

    fn value(&mut self) -> String {
        let texts = ["", "x", "hello world", "0", "7", "-3", "9223372036854775807", "-9223372036854775808"];
        let others = ["1.5", "-0.25", "2e2", "007", " 1", "text\r\nwith\0anything", "inf"];
        if self.below(3) == 0 { self.one_of(&others) } else { self.one_of(&texts) }
    }

    fn number(&mut self) -> String {
        let usual = ["0", "1", "2", "-1", "3", "10", "-5"];
        let odd =
            ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "01", "+5", "abc", ""];
        if self.below(4) == 0 { self.one_of(&odd) } else { self.one_of(&usual) }
    }

    /// A span that two clocks can tell from all others, or one that is refused, or none.
    fn span(&mut self, unit: u64) -> String {
        match self.below(8) {
            0 => self.one_of(&["0", "-1", "abc", "", "9223372036854775807", "-9223372036854775808", "1.5"]),
            _ => ((100_000 + self.prng.below(1 << 30)) * 10 * unit / 1000).to_string(),
        }
    }

    /// A moment that is far ahead, far behind, or none.
    fn moment(&mut self, unit: u64) -> String {
        match self.below(8) {
            0 => self.one_of(&["0", "-1", "abc", "1", "9223372036854775807", "-9223372036854775808"]),
            _ => {
                let seconds = self.start / 1000 + 1_000 * (1 + self.prng.below(20));
                (seconds * unit).to_string()
            }
        }
    }

    fn lifetime(&mut self, words: &mut Vec<String>) {
        let word = self.one_of(&["EX", "PX", "EXAT", "PXAT", "KEEPTTL", "PERSIST", "ex", "FOO"]);
        let argument = match &*word {
            "EX" | "ex" => self.span(1),
            "PX" => self.span(1000),
            "EXAT" => self.moment(1),
            "PXAT" => self.moment(1000),
            _ => return words.push(word),
        };
        words.push(word);
        if self.below(12) > 0 {
            words.push(argument);
        }
    }

    fn set_options(&mut self, words: &mut Vec<String>) {
        for _ in 0..self.below(4) {
            match self.below(5) {
                0 => words.push("GET".into()),
                1 => words.push("NX".into()),
                2 => words.push("XX".into()),
                _ => self.lifetime(words),
            }
        }
    }

    fn command(&mut self) -> Vec<String> {
        let names = [
            "set",
            "set",
            "set",
            "get",
            "getex",
            "getdel",
            "getset",
            "setnx",
            "setex",
            "psetex",
            "mget",
            "mset",
            "msetnx",
            "del",
            "unlink",
            "exists",
            "touch",
            "incr",
            "decr",
            "incrby",
            "decrby",
            "incrbyfloat",
            "append",
            "strlen",
            "getrange",
            "substr",
            "setrange",
            "expire",
            "pexpire",
            "expireat",
            "pexpireat",
            "ttl",
            "pttl",
            "expiretime",
            "pexpiretime",
            "persist",
            "type",
            "keys",
            "scan",
            "randomkey",
            "rename",
            "renamenx",
            "copy",
            "flushdb",
            "flushall",
            "dbsize",
        ];
        let name = self.one_of(&names);
        let mut words = vec![name.clone()];
        self.arguments(&name, &mut words);
        // Now and then a word too many, or one too few.
        match self.below(60) {
            0 => words.push(self.value()),
            1 if words.len() > 1 => drop(words.pop()),
            _ => {}
        }
        words
    }

    fn arguments(&mut self, name: &str, words: &mut Vec<String>) {
        match name {
            "set" => {
                words.extend([self.key(), self.value()]);
                self.set_options(words);
            }
            "getex" => {
                words.push(self.key());
                for _ in 0..self.below(3) {
                    self.lifetime(words);
                }
            }
            "getset" | "setnx" | "append" => words.extend([self.key(), self.value()]),
            "setex" => words.extend([self.key(), self.span(1), self.value()]),
            "psetex" => words.extend([self.key(), self.span(1000), self.value()]),
            "mget" | "del" | "unlink" | "exists" | "touch" => {
                (0..1 + self.below(3)).for_each(|_| words.push(self.key()));
            }
            "mset" | "msetnx" => {
                (0..1 + self.below(3)).for_each(|_| words.extend([self.key(), self.value()]));
            }
            "incrby" | "decrby" => words.extend([self.key(), self.number()]),
            "incrbyfloat" => {
                let delta = self.one_of(&["0.5", "-1.25", "3", "1e2", "abc", "", "inf", "nan", " 1", "-0"]);
                words.extend([self.key(), delta]);
            }
            "getrange" | "substr" => words.extend([self.key(), self.number(), self.number()]),
            "setrange" => {
                let offset =
                    self.one_of(&["0", "1", "5", "20", "-1", "abc", "600000000", "9223372036854775807"]);
                words.extend([self.key(), offset, self.value()]);
            }
            "expire" | "pexpire" | "expireat" | "pexpireat" => self.expire_arguments(name, words),
            "keys" => words.push(self.pattern()),
            "scan" => self.scan_options(words),
            "rename" | "renamenx" => words.extend([self.key(), self.key()]),
            "copy" => {
                words.extend([self.key(), self.key()]);
                let options = ["REPLACE", "DB 0", "replace db 0", "DB", "DB x", "FOO", "DB 99"];
                if self.below(2) == 0 {
                    let chosen = self.one_of(&options);
                    words.extend(chosen.split(' ').map(String::from));
                }
            }
            // Rarely, or nothing ever lives long.
            "flushdb" | "flushall" => words.push(self.one_of(&["bad", "bad", "bad", "bad", "async", "SYNC"])),
            "randomkey" | "dbsize" => {}
            _ => words.push(self.key()),
        }
    }

    fn expire_arguments(&mut self, name: &str, words: &mut Vec<String>) {
        let unit = if name.starts_with('p') { 1000 } else { 1 };
        let number = if name.ends_with("at") { self.moment(unit) } else { self.span(unit) };
        words.extend([self.key(), number]);
        for _ in 0..self.below(3) {
            words.push(self.one_of(&["NX", "XX", "GT", "LT", "gt", "FOO"]));
        }
    }

    fn pattern(&mut self) -> String {
        let patterns =
            ["*", "?", "user:*", "[ab]", "[^a]", "[a-c]", "*2*2", "\\a", "u*r:?", "", "[c-", "a-*"];
        let made =
            (0..self.below(5)).map(|_| self.one_of(&["*", "?", "[", "]", "a", "-", "^", "\\", "b", "c"]));
        // Two stars in a row do not fit the empty key in Redis, though one does.
        let made = made.collect::<String>().replace("**", "*").replace("**", "*");
        if self.below(3) == 0 { self.one_of(&patterns) } else { made }
    }

    /// A whole walk in one step: how it is cut is nobody's business.
    fn scan_options(&mut self, words: &mut Vec<String>) {
        words.push(self.one_of(&["0", "0", "0", "0", "abc", "18446744073709551616"]));
        words.extend(["COUNT".into(), self.one_of(&["1000", "1000", "1000", "0", "-1", "x"])]);
        match self.below(4) {
            0 => words.extend(["MATCH".into(), self.pattern()]),
            1 => words.extend(["TYPE".into(), self.one_of(&["string", "STRING", "hash", "nonsense"])]),
            2 => words.push(self.one_of(&["MATCH", "FOO", "TYPE"])),
            _ => {}
        }
    }
}

/// Answers without what may differ: order where there is none, and a choice at random.
fn comparable(name: &str, mut value: Value) -> Value {
    let sorted = |values: &mut Vec<Value>| values.sort_by_key(|value| format!("{value:?}"));
    match (name, &mut value) {
        ("keys", Value::Array(keys)) => sorted(keys),
        ("scan", Value::Array(parts)) => {
            if let Some(Value::Array(keys)) = parts.last_mut() {
                sorted(keys);
            }
        }
        ("randomkey", Value::Bytes(_)) => return Value::Text("some key".into()),
        _ => {}
    }
    value
}

fn agree(name: &str, words: &[String], theirs: &Value, ours: &Value) -> bool {
    match (name, theirs, ours) {
        ("ttl" | "pttl" | "expiretime" | "pexpiretime", Value::Integer(theirs), Value::Integer(ours)) => {
            (*theirs < 0) == (*ours < 0) && theirs.abs_diff(*ours) <= TOLERANCE.unsigned_abs()
        }
        ("getex", Value::Nil, Value::Error(_)) => words.len() > 2,
        // Infinity is the answer, and a number beyond our range is in the key.
        ("incrbyfloat", Value::Error(_), Value::Error(_)) => true,
        _ => theirs == ours,
    }
}

/// Whether a sum is none of ours: it has more digits than Redis keeps, or the number was a hexadecimal one.
fn is_beyond_us(name: &str, theirs: &Value, ours: &Value) -> bool {
    const DIGITS_KEPT: usize = 18;
    let long = matches!(theirs, Value::Bytes(digits) if digits.len() > DIGITS_KEPT);
    name == "incrbyfloat" && (long || matches!((theirs, ours), (Value::Bytes(_), Value::Error(_))))
}

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn redis_and_the_store_give_the_same_answers() {
    let Some(mut redis) = Redis::start() else {
        println!("skipped: there is no redis-server to compare with");
        return;
    };
    let seed = setting("REDIS_DIFFERENCE_SEED", 1);
    let mut store = Store::default();
    let mut client = Client { prng: Prng::new(seed), start: now().0 };
    let mut differences = Vec::new();
    let words_of = |text: &[String]| text.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    for step in 0..setting("REDIS_DIFFERENCE_STEPS", 20_000) {
        let text = client.command();
        let words = words_of(&text);
        if text[0] == "dbsize" {
            // Redis counts what is due until somebody asks for it.
            KEYS.iter().for_each(|key| drop(redis.ask(&words_of(&["get".into(), key.to_string()]))));
        }
        let theirs = comparable(&text[0], redis.ask(&words));
        let ours = comparable(&text[0], ask_store(&mut store, &words));
        if is_beyond_us(&text[0], &theirs, &ours) {
            let reset = words_of(&["set".into(), text[1].clone(), "0".into()]);
            assert_eq!(redis.ask(&reset), ask_store(&mut store, &reset));
        } else if !agree(&text[0], &text, &theirs, &ours) {
            differences.push(format!("step {step}: {text:?}\n   redis {theirs:?}\n   store {ours:?}"));
        }
        if differences.len() >= 20 {
            break;
        }
    }
    assert!(differences.is_empty(), "seed {seed}\n{}", differences.join("\n"));
}
