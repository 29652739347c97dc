//! `quorate sim`: clusters in a simulator that tries to break them, seed after seed.
//!
//! A violation, or a node that stops itself, is shown with the end of its trace and the command that shows it
//! again. A node that stops itself panics, and a panic cannot be undone here, so the seed is run once more to
//! get its trace, on a thread of its own, from within the hook.

mod options;
mod report;
mod smaller;

use std::io::{IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::{EXIT_FAILED, EXIT_INTERNAL, Failure, help, show};
use crate::runtime::{Clock, arbitrary_seed};
use crate::sim::{Lines, Outcome, Summary, run as run_seed};
use options::Wish;
use report::{Failed, REPEATABLE, REPEATABLE_SENTENCE, STOPPED, STOPPED_SENTENCE, hours};

/// How much of a trace is shown.
const LINES: usize = 60;

/// Of so many seeds one is run twice.
const REPEATED: u64 = 100;

/// Runs seeds, one after the other, until all are clean or one is not.
pub(super) fn run(words: &[String]) -> Result<ExitCode, Failure> {
    let wish = options::parse(words).map_err(|error| Failure::usage_of("sim", error))?;
    if wish.is_help {
        return show(&help::text(Some("sim")).expect("sim has a text"));
    }
    if wish.shrinks {
        return smaller::run(&wish);
    }
    let first = wish.seed.unwrap_or_else(|| arbitrary_seed() % 1_000_000_000);
    let seeds = wish.seeds.unwrap_or(if wish.seed.is_some() { 1 } else { 100 });
    let clock = Clock::start();
    let (mut sum, mut repeated) = (Summary::default(), 0);
    let hooked = wish.clone();
    panic::set_hook(Box::new(move |panic| stop(&hooked, panic)));
    for seed in first..first.saturating_add(seeds) {
        SEED.store(seed, Ordering::Relaxed);
        let outcome = run_seed(&wish.order(seed));
        sum += outcome.summary;
        let is_repeated = seed.is_multiple_of(REPEATED) && outcome.violation.is_none();
        repeated += u64::from(is_repeated);
        let differs = is_repeated && run_seed(&wish.order(seed)).trace != outcome.trace;
        if let Some(failed) = judge(&wish, seed, outcome, differs) {
            erase_progress();
            let text = if wish.is_json {
                report::json(&sum, repeated, clock.now().0.max(1), Some(&failed))
            } else {
                failed.text(&trace_of(&wish, seed))
            };
            return show(&text).map(|_| ExitCode::from(EXIT_FAILED));
        }
        report_progress(&sum, seeds);
    }
    erase_progress();
    let real = clock.now().0.max(1);
    let text = if wish.is_json {
        report::json(&sum, repeated, real, None)
    } else {
        report::table(&sum, repeated, real)
    };
    show(&text).map(|_| ExitCode::SUCCESS)
}

/// What was wrong with a run, if anything was.
fn judge(wish: &Wish, seed: u64, outcome: Outcome, differs: bool) -> Option<Failed> {
    let (id, sentence, detail) = match outcome.violation {
        Some(violation) => (violation.id, violation.sentence(), violation.detail),
        None if differs => (REPEATABLE, REPEATABLE_SENTENCE, "the seed has two traces".to_owned()),
        None => return None,
    };
    Some(Failed {
        order: wish.order(seed),
        size: outcome.size,
        id: id.to_owned(),
        sentence: sentence.to_owned(),
        detail,
    })
}

/// The seed that runs now, for the hook.
static SEED: AtomicU64 = AtomicU64::new(0);

/// Whether a seed is being run again for its trace, and where that goes.
static IS_REPLAY: AtomicBool = AtomicBool::new(false);
static TRACE: Mutex<Option<Lines>> = Mutex::new(None);

/// A node has stopped itself. The first time, the seed is run again; the second time, that run has come to
/// the same point, and its trace is shown.
fn stop(wish: &Wish, panic: &PanicHookInfo<'_>) {
    let seed = SEED.load(Ordering::Relaxed);
    if !IS_REPLAY.swap(true, Ordering::SeqCst) {
        let wish = wish.clone();
        let again = thread::spawn(move || trace_of(&wish, seed));
        drop(again.join());
    }
    let lines = TRACE.lock().map(|lines| lines.clone()).ok().flatten();
    let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
    let reason = panic.payload_as_str().unwrap_or("no reason given");
    let failed = Failed {
        order: wish.order(seed),
        size: lines.as_ref().map(Lines::size).unwrap_or_default(),
        id: STOPPED.to_owned(),
        sentence: STOPPED_SENTENCE.to_owned(),
        detail: format!("a node stopped itself{place}: {reason}"),
    };
    let text = if wish.is_json {
        report::json(&Summary::default(), 0, 1, Some(&failed))
    } else {
        failed.text(&lines.map_or_else(Vec::new, |lines| lines.taken()))
    };
    // The process ends here; a reader that has gone away is no failure.
    let _ = show(&text);
    process::exit(i32::from(EXIT_INTERNAL));
}

/// Runs a seed again and keeps the end of its trace.
fn trace_of(wish: &Wish, seed: u64) -> Vec<String> {
    let lines = Lines::keep(wish.lines.unwrap_or(LINES).max(1));
    if let Ok(mut trace) = TRACE.lock() {
        *trace = Some(lines.clone());
    }
    let mut order = wish.order(seed);
    order.lines = Some(lines.clone());
    run_seed(&order);
    lines.taken()
}

/// One line that is written over again and again, for people only.
fn report_progress(sum: &Summary, seeds: u64) {
    let hours = hours(sum.time.0);
    progress(&format!("{} of {seeds} seeds, {} events, {hours:.2} hours", sum.runs, sum.events));
}

fn progress(line: &str) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = out.write_all(format!("\r\x1b[K{line}").as_bytes()).and_then(|()| out.flush());
    }
}

fn erase_progress() {
    progress("");
}
