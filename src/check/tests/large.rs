//! As much as a load generator writes down in a few seconds: 100,000 operations of 16 clients on 50 keys.

use super::*;
use crate::check::State;
use crate::prng::Prng;

const OPERATIONS: usize = 100_000;
const CLIENTS: usize = 16;
const KEYS: usize = 50;

/// A history that a store in its right mind might leave: every operation takes effect at one moment between
/// its question and its answer, and of some the answer gets lost. A third of the keys are registers, a third
/// counters, and on the others anything goes.
fn history(seed: u64) -> Vec<Operation> {
    let mut prng = Prng::new(seed);
    let mut states = vec![State::default(); KEYS];
    let mut history = Vec::with_capacity(OPERATIONS);
    let mut free_at = [0u64; CLIENTS];
    // Clients are served in the order of the moments of effect, so the store is asked in that order too.
    for number in 0..OPERATIONS {
        let moment = 1_000 * (number as u64 + 1);
        let client = (0..CLIENTS).min_by_key(|client| free_at[*client]).expect("there are clients");
        let invoked = free_at[client].max(moment.saturating_sub(prng.below(12_000))).min(moment);
        let key = usize::try_from(prng.below(KEYS as u64)).expect("a few");
        let action = action(&mut prng, key, number);
        let luck = prng.below(200);
        let state = &mut states[key];
        let outcome = if luck == 0 { Outcome::Nothing } else { Outcome::Unknown };
        if luck <= 1 {
            history.push(Operation { client: client as u64, invoked: Instant(invoked), action, outcome });
            free_at[client] = moment;
            continue;
        }
        let (answer, new) = state.step(&action);
        *state = new.unwrap_or_else(|| state.clone());
        let returned = moment + prng.below(12_000);
        free_at[client] = returned + 1;
        let outcome = match luck {
            2 => Outcome::Unknown,
            _ => Outcome::Done { returned: Instant(returned), answer },
        };
        history.push(Operation { client: client as u64, invoked: Instant(invoked), action, outcome });
    }
    history
}

fn action(prng: &mut Prng, key: usize, number: usize) -> Action {
    let name = format!("key-{key}");
    let unique = format!("v{number}");
    match (key % 3, prng.below(8)) {
        (_, 0..=2) => get(&name),
        (0, _) => set(&name, &unique),
        (1, _) => add(&name, 1),
        (_, 3) => append(&name, "x"),
        (_, 4) => delete(&name),
        (_, 5) => set_if(&name, &format!("w{}", prng.below(3)), &unique),
        (_, _) => set(&name, &format!("w{}", prng.below(3))),
    }
}

#[test]
fn a_large_history_is_checked() {
    let history = history(1);
    assert_eq!(history.len(), OPERATIONS);
    let overlapping = history.windows(2).filter(|pair| Some(pair[1].invoked) < pair[0].returned()).count();
    assert!(overlapping > OPERATIONS / 4, "clients get in each other's way: {overlapping}");
    assert_good(&history);
}

#[test]
fn one_wrong_answer_in_a_large_history_is_found() {
    let wrong = [("key-0", Answer::Nil), ("key-1", Answer::Nil), ("key-2", value("nobody wrote this"))];
    for (seed, (key, told)) in (2..).zip(wrong) {
        let mut history = history(seed);
        let is_read = |operation: &&mut Operation| operation.action == get(key);
        let spoilt = history.iter_mut().filter(is_read).nth(300).expect("there are so many");
        if let Outcome::Done { answer, .. } = &mut spoilt.outcome {
            *answer = told;
        }
        let why = assert_bad(&history);
        assert!(why.lines().count() < 40, "{why}");
    }
}
