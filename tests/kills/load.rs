//! What clients do, and their notes about it.
//!
//! * *Registers* `r`: plain sets of values that are written once, and reads. Cheap to check, so they live
//!   long.
//! * *Counters* `n`: increments, and reads. Those with an unknown outcome may count or not.
//! * *Exact counters* `e`: increments with a token, repeated at another node until there is an answer. Now
//!   and then one is asked again after its answer, and has to be told the same.
//! * *Anything goes* `m`: set, compare and set, append, delete, increment, read. Outcomes that are unknown
//!   make these hard to check, so each key is left after a while for a new one.
//! * *Pairs* `p`: two keys that are always written together and read together.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use quorate::check::{self, Action, Answer, Key, Operation, Outcome};
use quorate::prng::Prng;

use crate::client::{Client, Told};
use crate::node::Cluster;
use crate::resp::Reply;
use crate::settings::Settings;

/// How often a key of the costly kinds is used before it is left.
const USES_OF_A_KEY: u64 = 250;

/// How long a client insists on an answer to an increment with a token.
const INSISTENCE: Duration = Duration::from_secs(60);

/// Longest time between an answer and the next question.
const THINKING_MS_MAX: u64 = 16;

const FAULTS_MAX: usize = 20;

/// What all clients share.
pub(crate) struct Shared<'a> {
    pub(crate) start: Instant,
    pub(crate) cluster: &'a Cluster,
    pub(crate) settings: &'a Settings,
    pub(crate) is_over: &'a AtomicBool,
    /// Answers so far, for progress lines.
    pub(crate) answers: AtomicU64,
    uses: [AtomicU64; 8],
}

/// What clients have written down.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) operations: Vec<Operation>,
    /// What must not be, whatever the history says.
    pub(crate) faults: Vec<String>,
    /// For each exact counter the tokens that were answered, and those that never were.
    pub(crate) tokens: BTreeMap<Key, (u64, u64)>,
    done: u64,
    nothing: u64,
    unknown: u64,
    repeated: u64,
    late: u64,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(
        start: Instant,
        cluster: &'a Cluster,
        settings: &'a Settings,
        is_over: &'a AtomicBool,
    ) -> Shared<'a> {
        Shared { start, cluster, settings, is_over, answers: AtomicU64::new(0), uses: Default::default() }
    }

    /// The present on the clock of the history.
    pub(crate) fn now(&self) -> check::Instant {
        check::Instant(u64::try_from(self.start.elapsed().as_nanos()).expect("a test ends before that"))
    }

    /// The current name in one of the places for short-lived keys.
    fn short_lived(&self, kind: &str, place: u64) -> String {
        let uses = &self.uses[usize::try_from(place).expect("a few")];
        format!("{kind}{place}-{}", uses.fetch_add(1, Ordering::Relaxed) / USES_OF_A_KEY)
    }
}

/// One client's life.
pub(crate) fn run(shared: &Shared<'_>, number: u64) -> Notes {
    let home = number % shared.settings.nodes + 1;
    let mut worker = Worker {
        shared,
        number,
        asked: 0,
        prng: Prng::new(shared.settings.seed ^ (number + 1) << 32),
        client: Client::new(shared.cluster, home),
        seen: Vec::new(),
        notes: Notes::default(),
    };
    while !shared.is_over.load(Ordering::Relaxed) {
        worker.work();
        thread::sleep(Duration::from_millis(worker.prng.below(THINKING_MS_MAX)));
    }
    worker.notes.late = worker.client.late;
    worker.notes
}

struct Worker<'a> {
    shared: &'a Shared<'a>,
    number: u64,
    asked: u64,
    prng: Prng,
    client: Client<'a>,
    /// The value read last of a key where anything goes.
    seen: Vec<u8>,
    notes: Notes,
}

impl Worker<'_> {
    fn work(&mut self) {
        self.asked += 1;
        let action = match self.prng.below(100) {
            0..25 => self.register(),
            25..45 => self.counter(),
            45..60 => return self.count_exactly(),
            60..90 => self.anything(),
            _ => self.pair(),
        };
        self.ask(action);
    }

    fn register(&mut self) -> Action {
        let key = bytes(&format!("r{}", self.prng.below(8)));
        match self.prng.below(2) {
            0 => Action::Get { key },
            _ => Action::Set { key, value: bytes(&self.unique()) },
        }
    }

    fn counter(&mut self) -> Action {
        let key = bytes(&format!("n{}", self.prng.below(4)));
        match self.prng.below(3) {
            0 => Action::Get { key },
            _ => Action::Add { key, delta: 1 },
        }
    }

    fn anything(&mut self) -> Action {
        let place = self.prng.below(6);
        let key = bytes(&self.shared.short_lived("m", place));
        let value = bytes(&self.unique());
        match self.prng.below(12) {
            0..=3 => Action::Get { key },
            4 | 5 => Action::Set { key, value },
            6 | 7 => Action::SetIf { key, expected: self.seen.as_slice().into(), value },
            8 | 9 => Action::Append { key, value: bytes(&format!("+{}", self.unique())) },
            10 => Action::Delete { key },
            _ => Action::Add { key, delta: 7 },
        }
    }

    fn pair(&mut self) -> Action {
        let place = 6 + self.prng.below(2);
        let name = self.shared.short_lived("p", place);
        let (one, other) = (bytes(&format!("{name}a")), bytes(&format!("{name}b")));
        let value = bytes(&self.unique());
        Action::All(match self.prng.below(2) {
            0 => vec![Action::Get { key: one }, Action::Get { key: other }],
            _ => vec![Action::Set { key: one, value: value.clone() }, Action::Set { key: other, value }],
        })
    }

    /// A text that nobody else writes.
    fn unique(&self) -> String {
        format!("{}.{}", self.number, self.asked)
    }

    fn ask(&mut self, action: Action) {
        if !self.client.connect() {
            return;
        }
        let invoked = self.shared.now();
        let words = words(&action);
        let told = self.client.ask(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
        if let Told::Answer(Reply::Bytes(Some(value))) = &told {
            self.seen.clone_from(value);
        }
        self.note(invoked, action, &told);
        if told == Told::Nothing {
            self.wait_a_little();
        }
    }

    fn count_exactly(&mut self) {
        let key = bytes(&format!("e{}", self.prng.below(4)));
        let token = format!("{}-{}", self.shared.settings.seed, self.unique());
        let question: [&[u8]; 4] = [b"ONCE", token.as_bytes(), b"INCR", &key];
        let action = Action::Add { key: key.clone(), delta: 1 };
        let (invoked, give_up) = (self.shared.now(), Instant::now() + INSISTENCE);
        let mut told = Told::Nothing;
        while matches!(told, Told::Nothing | Told::Unknown) && Instant::now() < give_up {
            if self.client.connect() {
                told = self.client.ask(&question);
                if !matches!(told, Told::Answer(_)) {
                    self.client.move_on();
                    self.wait_a_little();
                }
            }
        }
        let is_answered = matches!(told, Told::Answer(_));
        if told == Told::Nothing {
            // The last try did nothing; those before it may have.
            told = Told::Unknown;
        }
        self.note(invoked, action, &told);
        let tokens = self.notes.tokens.entry(key.clone()).or_default();
        *(if is_answered { &mut tokens.0 } else { &mut tokens.1 }) += 1;
        if !is_answered {
            self.notes
                .fault(format!("{INSISTENCE:?} did not suffice for an answer to ONCE {token}: {told:?}"));
        } else if self.prng.below(8) == 0 {
            self.repeat(&question, &told);
        }
    }

    /// Asks again, elsewhere, what has been answered.
    fn repeat(&mut self, question: &[&[u8]], first: &Told) {
        self.client.move_on();
        let second = self.client.ask_until(question, Instant::now() + INSISTENCE);
        self.notes.repeated += 1;
        if second != *first {
            let token = String::from_utf8_lossy(question[1]).into_owned();
            self.notes.fault(format!("ONCE {token} was answered {first:?}, and then {second:?}"));
        }
    }

    fn wait_a_little(&mut self) {
        if self.prng.below(2) == 0 {
            self.client.move_on();
        }
        thread::sleep(Duration::from_millis(5 + self.prng.below(30)));
    }

    fn note(&mut self, invoked: check::Instant, action: Action, told: &Told) {
        let outcome = match told {
            Told::Answer(reply) => match answer(&action, reply) {
                Some(answer) => Outcome::Done { returned: self.shared.now(), answer },
                None => {
                    self.notes.fault(format!("{action} was answered {reply:?}"));
                    Outcome::Unknown
                }
            },
            Told::Nothing => Outcome::Nothing,
            Told::Unknown => Outcome::Unknown,
            Told::Nonsense(text) => {
                self.notes.fault(format!("{action} was answered {text:?}"));
                Outcome::Unknown
            }
        };
        match outcome {
            Outcome::Done { .. } => {
                self.notes.done += 1;
                self.shared.answers.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Nothing => self.notes.nothing += 1,
            Outcome::Unknown => self.notes.unknown += 1,
        }
        self.notes.operations.push(Operation { client: self.number, invoked, action, outcome });
    }
}

pub(crate) fn bytes(text: &str) -> Key {
    text.as_bytes().into()
}

/// The command that an action is.
fn words(action: &Action) -> Vec<Vec<u8>> {
    let join = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
    match action {
        Action::Get { key } => join(&[b"GET", key]),
        Action::Set { key, value } => join(&[b"SET", key, value]),
        Action::SetIf { key, expected, value } => join(&[b"SET", key, value, b"IFEQ", expected]),
        Action::Add { key, delta } => join(&[b"INCRBY", key, delta.to_string().as_bytes()]),
        Action::Append { key, value } => join(&[b"APPEND", key, value]),
        Action::Delete { key } => join(&[b"DEL", key]),
        Action::All(actions) => {
            let name = if action.is_read() { "MGET" } else { "MSET" };
            let rest = actions.iter().flat_map(|part| words(part).split_off(1));
            std::iter::once(name.as_bytes().to_vec()).chain(rest).collect()
        }
    }
}

/// What a reply says about an action; `None` if it says nothing that makes sense.
pub(crate) fn answer(action: &Action, reply: &Reply) -> Option<Answer> {
    match (action, reply) {
        (Action::All(actions), Reply::Simple(_)) => {
            actions.iter().map(|part| answer(part, reply)).collect::<Option<_>>().map(Answer::All)
        }
        (Action::All(actions), Reply::Array(replies)) if actions.len() == replies.len() => {
            let parts = actions.iter().zip(replies).map(|(part, reply)| answer(part, reply));
            parts.collect::<Option<_>>().map(Answer::All)
        }
        (_, Reply::Simple(text)) if text == "OK" => Some(Answer::Okay),
        (_, Reply::Integer(number)) => Some(Answer::Number(*number)),
        (_, Reply::Bytes(None)) => Some(Answer::Nil),
        (_, Reply::Bytes(Some(value))) => Some(Answer::Bytes(value.as_slice().into())),
        (Action::Add { .. }, Reply::Error(_)) => Some(Answer::Error),
        _ => None,
    }
}

impl Notes {
    /// Writes down what must not be; after a while it is clear that something is wrong.
    pub(crate) fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

impl AddAssign for Notes {
    fn add_assign(&mut self, other: Notes) {
        self.operations.extend(other.operations);
        other.faults.into_iter().for_each(|fault| self.fault(fault));
        for (key, (answered, open)) in other.tokens {
            let tokens = self.tokens.entry(key).or_default();
            *tokens = (tokens.0 + answered, tokens.1 + open);
        }
        self.done += other.done;
        self.nothing += other.nothing;
        self.unknown += other.unknown;
        self.repeated += other.repeated;
        self.late += other.late;
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notes { done, nothing, unknown, repeated, late, .. } = self;
        write!(
            formatter,
            "{} operations: {done} done, {nothing} nothing, {unknown} unknown ({late} answers late); \
             {repeated} tokens told twice",
            self.operations.len(),
        )
    }
}
