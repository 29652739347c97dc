//! What was asked and told, kept small, and checked at the end.
//!
//! A request takes 48 bytes, so that millions fit: values are told by their numbers, and the number of a
//! value is the place in the history of the request that wrote it. Only at the end, key by key, does
//! all this become what [`crate::check`] understands. Keys are independent, since no request here names two.

use super::plan::Kind;
use super::requests::{Requests, stamp};
use crate::check::{self, Action, Answer, Instant, Operation, Outcome, Value, Verdict, Violation};
use crate::limits::{CHECK_STEPS_MAX, LOAD_HISTORY_MAX};

/// Answers with values that nobody wrote that are kept as they are. One is enough for a violation.
const STRANGE_MAX: usize = 16;

/// Everything that was asked about keys.
#[derive(Debug)]
pub(super) struct History {
    records: Vec<Record>,
    strange: Vec<Value>,
}

/// One request.
#[derive(Clone, Copy, Debug)]
struct Record {
    invoked: u64,
    returned: u64,
    key: u32,
    client: u32,
    kind: Kind,
    told: Told,
}

const _: () = assert!(size_of::<Record>() <= 48, "as limits.rs says");

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// Nobody knows.
    Unknown,
    /// It was not done.
    Nothing,
    /// "OK".
    Okay,
    /// No value.
    Nil,
    /// The value that the request in this place wrote, or should have.
    Value(u64),
    /// A number.
    Number(i64),
    /// A value that nobody wrote, by its place among such.
    Strange(usize),
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Requests in the history.
    pub operations: usize,
    /// Keys that they are about.
    pub keys: usize,
    /// The judgement.
    pub judgement: Judgement,
}

/// What a check has found, in short.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// There is an order that explains every answer.
    Linearizable,
    /// There is none.
    Violated(Box<Violation>),
    /// For so many keys none was found in the time there is, and all others are in order.
    Undecided(usize),
}

impl History {
    pub(super) fn new() -> History {
        History { records: Vec::new(), strange: Vec::new() }
    }

    /// Whether it takes no further request.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= LOAD_HISTORY_MAX
    }

    /// A request is about to leave; answers its place.
    pub(super) fn ask(&mut self, client: u32, kind: Kind, key: u32, invoked: u64) -> u64 {
        assert!(!self.is_full(), "whoever asks has looked");
        self.records.push(Record { invoked, returned: 0, key, client, kind, told: Told::Unknown });
        self.records.len() as u64 - 1
    }

    /// The answer has come.
    pub(super) fn tell(&mut self, place: u64, returned: u64, told: Told) {
        let record = &mut self.records[usize::try_from(place).expect("a place in memory")];
        (record.returned, record.told) = (returned, told);
    }

    /// A value that nobody wrote has come back.
    pub(super) fn strange(&mut self, value: &[u8]) -> Told {
        if self.strange.len() < STRANGE_MAX {
            self.strange.push(value.into());
        }
        Told::Strange(self.strange.len() - 1)
    }

    /// Judges it all, key by key.
    pub(super) fn check(&self, requests: &Requests) -> Checked {
        let sort = |place: &u32| {
            let record = &self.records[*place as usize];
            (record.kind == Kind::Incr, record.key)
        };
        let count = u32::try_from(self.records.len()).expect("the limit is below 2^32");
        let mut places: Vec<u32> = (0..count).collect();
        places.sort_by_key(sort);
        let (mut keys, mut undecided) = (0, 0);
        let mut judgement = Judgement::Linearizable;
        for group in places.chunk_by(|one, other| sort(one) == sort(other)) {
            keys += 1;
            match check::check(&self.operations(group, requests), CHECK_STEPS_MAX) {
                Verdict::Linearizable => {}
                Verdict::Undecided(_) => undecided += 1,
                Verdict::Violated(violation) => {
                    judgement = Judgement::Violated(violation);
                    break;
                }
            }
        }
        if undecided > 0 && matches!(judgement, Judgement::Linearizable) {
            judgement = Judgement::Undecided(undecided);
        }
        Checked { operations: self.records.len(), keys, judgement }
    }

    /// All that was asked about one key.
    fn operations(&self, places: &[u32], requests: &Requests) -> Vec<Operation> {
        let first = &self.records[places[0] as usize];
        let key: check::Key = requests.key(first.kind, first.key).into();
        let operation = |place: &u32| {
            let record = &self.records[*place as usize];
            let key = key.clone();
            let action = match record.kind {
                Kind::Set => Action::Set { key, value: stamp(u64::from(*place)).as_slice().into() },
                Kind::Incr => Action::Add { key, delta: 1 },
                Kind::Get | Kind::Ping => Action::Get { key },
            };
            let outcome = match record.told {
                Told::Unknown => Outcome::Unknown,
                Told::Nothing => Outcome::Nothing,
                told => Outcome::Done { returned: Instant(record.returned), answer: self.answer(told) },
            };
            let client = u64::from(record.client);
            Operation { client, invoked: Instant(record.invoked), action, outcome }
        };
        places.iter().map(operation).collect()
    }

    fn answer(&self, told: Told) -> Answer {
        match told {
            Told::Unknown | Told::Nothing => Answer::Any,
            Told::Okay => Answer::Okay,
            Told::Nil => Answer::Nil,
            Told::Value(number) => Answer::Bytes(stamp(number).as_slice().into()),
            Told::Number(number) => Answer::Number(number),
            Told::Strange(place) => Answer::Bytes(self.strange[place].clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::plan;

    fn judge(history: &History) -> String {
        let checked = history.check(&Requests::new(&plan(&["check"])));
        match checked.judgement {
            Judgement::Linearizable => "linearizable".to_owned(),
            Judgement::Violated(violation) => violation.to_string(),
            Judgement::Undecided(keys) => format!("{keys} undecided"),
        }
    }

    /// Two writes of a key, one after the other, another key between them, and a counter of the same number.
    fn history() -> History {
        let mut history = History::new();
        for (kind, key, told) in
            [(Kind::Set, 1, Told::Okay), (Kind::Set, 2, Told::Okay), (Kind::Incr, 1, Told::Number(1))]
        {
            let place = history.ask(0, kind, key, 10);
            history.tell(place, 20, told);
        }
        let place = history.ask(0, Kind::Set, 1, 30);
        history.tell(place, 40, Told::Okay);
        history
    }

    fn read(told: Told) -> String {
        let mut history = history();
        let told = if told == Told::Strange(0) { history.strange(b"stranger") } else { told };
        let place = history.ask(1, Kind::Get, 1, 50);
        history.tell(place, 60, told);
        judge(&history)
    }

    #[test]
    fn the_last_value_is_right_and_every_other_is_wrong() {
        assert_eq!(judge(&history()), "linearizable");
        assert_eq!(read(Told::Value(3)), "linearizable");
        assert_eq!(read(Told::Unknown), "linearizable");
        for told in [Told::Value(0), Told::Value(1), Told::Nil, Told::Strange(0)] {
            let said = read(told);
            assert!(said.starts_with("no order explains") && said.contains("key:000000000001"), "{said}");
        }
    }

    #[test]
    fn what_was_refused_must_not_be_seen_and_what_is_unknown_may() {
        for (told, is_right) in [(Told::Nothing, false), (Told::Unknown, true)] {
            let mut history = history();
            let write = history.ask(0, Kind::Set, 1, 45);
            history.tell(write, 47, told);
            let read = history.ask(1, Kind::Get, 1, 50);
            history.tell(read, 60, Told::Value(write));
            assert_eq!(judge(&history) == "linearizable", is_right, "{told:?}");
        }
    }

    #[test]
    fn a_counter_that_counts_twice_is_found() {
        for (number, is_right) in [(2, true), (3, false), (1, false)] {
            let mut history = history();
            let place = history.ask(1, Kind::Incr, 1, 30);
            history.tell(place, 40, Told::Number(number));
            assert_eq!(judge(&history) == "linearizable", is_right, "{number}");
        }
    }
}
