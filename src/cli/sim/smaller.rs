//! `quorate sim --shrink`: looks for a smaller run that fails in the same way, and shows that.
//!
//! Each attempt is a process of its own: a node that stops itself ends the process that it runs in.

use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use super::options::{self, Wish};
use super::{erase_progress, progress, report};
use crate::cli::{EXIT_FAILED, Failure, show};
use crate::runtime::arbitrary_seed;
use crate::sim::{Fault, Order, ShrinkFailure, Size, shrink};

/// How many attempts are made.
const ATTEMPTS: u64 = 600;

/// Finds the first seed that fails and makes it smaller.
pub(super) fn run(wish: &Wish) -> Result<ExitCode, Failure> {
    let first = wish.seed.unwrap_or_else(|| arbitrary_seed() % 1_000_000_000);
    let seeds = wish.seeds.unwrap_or(if wish.seed.is_some() { 1 } else { 100 });
    let Some((seed, failure)) = attempt(&wish.order(first), seeds)? else {
        return show(&format!("nothing to make smaller: {seeds} seeds from {first} on are clean\n"))
            .map(|_| ExitCode::SUCCESS);
    };
    let attempts = wish.attempts.unwrap_or(ATTEMPTS);
    let (mut done, mut broken, mut best) = (0, None, failure.size.events);
    let mut try_out = |order: &Order| {
        done += 1;
        progress(&format!("attempt {done} of at most {attempts}; the smallest so far: {best} events"));
        let found = match attempt(order, 1) {
            Ok(found) => found.map(|(_, failure)| failure),
            Err(error) => {
                broken.get_or_insert(error);
                None
            }
        };
        if let Some(found) = found.as_ref().filter(|found| found.id == failure.id) {
            best = best.min(found.size.events);
        }
        found
    };
    let order = wish.order(seed);
    let (small, smallest) = shrink((order.clone(), failure.clone()), attempts, &mut try_out);
    erase_progress();
    if let Some(error) = broken {
        return Err(error);
    }
    show(&format!(
        "before  {}\n        quorate sim {}\nafter   {}\n        quorate sim {}\n        \
         in {done} attempts\n\n",
        report::extent(&failure.size),
        options::words(&order).join(" "),
        report::extent(&smallest.size),
        options::words(&small).join(" "),
    ))?;
    let mut words = options::words(&small);
    words.extend(wish.lines.map(|lines| ["--lines".to_owned(), lines.to_string()]).into_iter().flatten());
    let shown = command(&words)?.status();
    shown.map_err(|error| unrunnable(&error))?;
    Ok(ExitCode::from(EXIT_FAILED))
}

fn command(words: &[String]) -> Result<Command, Failure> {
    let program = std::env::current_exe().map_err(|error| unrunnable(&error))?;
    let mut command = Command::new(program);
    command.arg("sim").args(words);
    Ok(command)
}

fn unrunnable(error: &std::io::Error) -> Failure {
    Failure::io(format!("sim: this program cannot run itself: {error}"))
}

/// Runs so many seeds in a process of their own. Answers the first that fails, and how.
fn attempt(order: &Order, seeds: u64) -> Result<Option<(u64, ShrinkFailure)>, Failure> {
    let mut words = options::words(order);
    words.extend(["--json".to_owned(), "--seeds".to_owned(), seeds.to_string()]);
    let output = command(&words)?.stderr(Stdio::null()).output().map_err(|error| unrunnable(&error))?;
    let document: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::io(format!("sim: a run ended without a report: {error}")))?;
    Ok(understand(&document["failure"]))
}

fn understand(failure: &Value) -> Option<(u64, ShrinkFailure)> {
    let number = |name: &str| failure[name].as_u64();
    let name = |fault: &Value| fault.as_str().and_then(Fault::named);
    let size = Size {
        nodes: u16::try_from(number("nodes")?).ok()?,
        clients: number("clients")?,
        operations: number("operations")?,
        events: number("events")?,
        faults: failure["faults"].as_array()?.iter().filter_map(name).collect(),
        strikes: number("strikes")?,
    };
    Some((number("seed")?, ShrinkFailure { id: failure["id"].as_str()?.to_owned(), size }))
}
