//! Every decoder under fire: so many malformed inputs each, the same in every run, in the shares of two
//! threads.

use std::collections::BTreeSet;

use super::mutator::Mutator;
use super::verdict::Verdict;
use super::{answers, client, commands, course, log_files, peer, snapshot_files};

/// Malformed inputs for each port in an ordinary run.
const FRAMES: u64 = 100_000;

/// Threads that share them.
const THREADS: u64 = 2;

/// How an input was spoiled.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Attack {
    /// As it is on the line or on the disk: by bad luck, or by somebody who does not care for checksums.
    Blind,
    /// Inside, and whatever is around it says that it is whole.
    Sealed,
}

/// Makes a whole input of what is in one.
type Seal = fn(&[u8]) -> Vec<u8>;

/// Shows an input to a decoder; panics when a promise is broken.
type Check = Box<dyn Fn(&[u8], Attack) -> Verdict + Sync>;

/// A decoder, and what it is shown.
struct Target {
    /// Also the name of its test.
    name: &'static str,
    /// It gets one input where a port gets so many: files take longer.
    share: u64,
    valid: Vec<Vec<u8>>,
    /// What is in valid ones, and what it is put into again.
    bodies: Option<(Vec<Vec<u8>>, Seal)>,
    check: Check,
}

impl Target {
    /// The input with that number, different from every valid one.
    fn input(&self, number: u64) -> (Vec<u8>, Attack) {
        let mut luck = Mutator::new(number);
        let (choices, attack) = match &self.bodies {
            Some((bodies, _)) if number % 2 == 1 => (bodies, Attack::Sealed),
            _ => (&self.valid, Attack::Blind),
        };
        let original = luck.pick(choices);
        let mut spoiled = original.clone();
        while spoiled == *original {
            let other = luck.pick(choices);
            luck.spoil(&mut spoiled, other);
        }
        match &self.bodies {
            Some((_, seal)) if attack == Attack::Sealed => (seal(&spoiled), attack),
            _ => (spoiled, attack),
        }
    }

    /// One after the other, and a line about it.
    fn under_fire(&self) {
        let is_used = |valid: &&Vec<u8>| (self.check)(valid, Attack::Blind).decoded > 0;
        let used = self.valid.iter().filter(is_used).count();
        assert!(used > self.valid.len() / 2, "of {} valid inputs {used} are of use", self.valid.len());
        let count = (number("HOSTILE_FRAMES").unwrap_or(FRAMES) / self.share).max(1);
        if let Some(number) = number("HOSTILE_INPUT") {
            return self.one(number, &mut Figures::default());
        }
        let share = |thread: u64| {
            let mut figures = Figures::default();
            let step = usize::try_from(THREADS).expect("a few");
            (thread..count).step_by(step).for_each(|number| self.one(number, &mut figures));
            figures
        };
        let figures = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || share(thread))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().expect("no input breaks a promise"));
            joined.reduce(Figures::with).expect("there are threads")
        });
        println!("{}: {count} malformed inputs, {figures}", self.name);
        assert!(figures.decoded > 0, "all of it was refused at once: too much is spoiled");
    }

    fn one(&self, number: u64, figures: &mut Figures) {
        let (input, attack) = self.input(number);
        let blame = Blame { target: self.name, number, input: &input };
        let verdict = (self.check)(&input, attack);
        drop(blame);
        figures.add(&input, verdict);
    }
}

/// Names the input when a check fails.
struct Blame<'a> {
    target: &'static str,
    number: u64,
    input: &'a [u8],
}

impl Drop for Blame<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Blame { target, number, input } = self;
            let shown = input[..input.len().min(2_000)].escape_ascii();
            eprintln!("input {number}: {shown}");
            eprintln!("HOSTILE_INPUT={number} cargo test --test hostile {target} -- --nocapture");
        }
    }
}

/// What came of all inputs.
#[derive(Clone, Copy, Default)]
struct Figures {
    bytes: u64,
    decoded: u64,
    /// The most memory that was held at a time, and for how many bytes of input.
    peak: u64,
    peak_input: usize,
}

impl Figures {
    fn add(&mut self, input: &[u8], verdict: Verdict) {
        let Verdict { decoded, peak } = verdict;
        let one = Figures { bytes: input.len() as u64, decoded, peak, peak_input: input.len() };
        *self = self.with(one);
    }

    fn with(self, other: Figures) -> Figures {
        let (peak, peak_input) = (self.peak, self.peak_input).max((other.peak, other.peak_input));
        let (bytes, decoded) = (self.bytes + other.bytes, self.decoded + other.decoded);
        Figures { bytes, decoded, peak, peak_input }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Figures { bytes, decoded, peak, peak_input } = self;
        let megabytes = bytes / 1_000_000;
        write!(formatter, "{megabytes} MB; {decoded} valid values were in them; no panic, no hang; ")?;
        write!(formatter, "at most {peak} bytes were held at a time, for {peak_input} of input")
    }
}

/// The number in a variable of the environment.
pub(crate) fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("the variable holds a number"))
}

fn plain(check: fn(&[u8]) -> Verdict) -> Check {
    Box::new(move |input, _| check(input))
}

#[test]
fn peer_port() {
    let peer::Corpus { streams, bodies } = peer::corpus();
    let known: BTreeSet<Vec<u8>> = bodies.iter().cloned().collect();
    let check = move |input: &[u8], attack| {
        if attack == Attack::Blind {
            let unknown = peer::accepted(input).find(|body| !known.contains(*body));
            assert!(unknown.is_none(), "a changed frame was taken for whole: {unknown:?}");
        }
        peer::check(input)
    };
    let bodies = Some((bodies, peer::sealed as Seal));
    Target { name: "peer_port", share: 1, valid: streams, bodies, check: Box::new(check) }.under_fire();
}

#[test]
fn client_port() {
    let (valid, check) = (client::corpus(), plain(client::check));
    Target { name: "client_port", share: 1, valid, bodies: None, check }.under_fire();
}

#[test]
fn course_adapter() {
    let course::Corpus { packets, bodies } = course::corpus();
    let (bodies, check) = (Some((bodies, course::sealed as Seal)), plain(course::check));
    Target { name: "course_adapter", share: 5, valid: packets, bodies, check }.under_fire();
}

#[test]
fn answers_to_clients() {
    let (valid, check) = (answers::corpus(), plain(answers::check));
    Target { name: "answers_to_clients", share: 5, valid, bodies: None, check }.under_fire();
}

#[test]
fn commands_and_values() {
    let (valid, check) = (commands::corpus(), plain(commands::check));
    Target { name: "commands_and_values", share: 5, valid, bodies: None, check }.under_fire();
}

#[test]
fn log_files() {
    let log_files::Corpus { logs, bodies } = log_files::corpus();
    let valid = logs.iter().map(|log| log.file.clone()).collect();
    let prefixes: Vec<log_files::State> = logs.into_iter().flat_map(|log| log.prefixes).collect();
    let check = move |input: &[u8], attack| {
        if attack == Attack::Blind
            && let Some(state) = log_files::state_in(input)
        {
            assert!(prefixes.contains(&state), "a log was read that was never written: {state:?}");
        }
        log_files::check(input)
    };
    let bodies = Some((bodies, log_files::sealed as Seal));
    Target { name: "log_files", share: 50, valid, bodies, check: Box::new(check) }.under_fire();
}

#[test]
fn snapshot_files() {
    let snapshot_files::Corpus { files, bodies } = snapshot_files::corpus();
    let known = files.clone();
    let check = move |input: &[u8], attack| {
        let verdict = snapshot_files::check(input);
        let is_known = known.iter().any(|file| file == input);
        assert!(
            attack == Attack::Sealed || verdict.decoded == 0 || is_known,
            "a changed file was taken for whole"
        );
        verdict
    };
    let bodies = Some((bodies, snapshot_files::sealed as Seal));
    Target { name: "snapshot_files", share: 50, valid: files, bodies, check: Box::new(check) }.under_fire();
}
