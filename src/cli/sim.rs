//! `quorate sim`: clusters in a simulator that tries to break them, seed after seed.
//!
//! A violation, or a node that stops itself, is shown with the end of its trace and the command that shows it
//! again. A node that stops itself panics, and a panic cannot be undone here, so the seed is run once more to
//! get its trace, on a thread of its own, from within the hook.

use std::io::{IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use lexopt::{Arg, Parser, ValueExt};

use super::{EXIT_FAILED, EXIT_INTERNAL, Failure, help, show};
use crate::runtime::{Clock, arbitrary_seed};
use crate::sim::{Lines, Order, Planted, Summary, Violation, run as run_seed};

/// How much of a trace is shown.
const LINES: usize = 60;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wish {
    seed: Option<u64>,
    seeds: Option<u64>,
    nodes: Option<u16>,
    events: Option<u64>,
    lines: Option<usize>,
    planted: Option<Planted>,
    is_help: bool,
}

/// Runs seeds, one after the other, until all are clean or one is not.
pub(super) fn run(words: &[String]) -> Result<ExitCode, Failure> {
    let wish = parse(words).map_err(|error| Failure::usage_of("sim", error))?;
    if wish.is_help {
        return show(&help::text(Some("sim")).expect("sim has a text"));
    }
    let first = wish.seed.unwrap_or_else(|| arbitrary_seed() % 1_000_000_000);
    let seeds = wish.seeds.unwrap_or(if wish.seed.is_some() { 1 } else { 100 });
    let clock = Clock::start();
    let mut sum = Summary::default();
    panic::set_hook(Box::new(move |panic| stop(wish, panic)));
    for seed in first..first.saturating_add(seeds) {
        SEED.store(seed, Ordering::Relaxed);
        let outcome = run_seed(&order(wish, seed));
        sum += outcome.summary;
        if let Some(violation) = outcome.violation {
            erase_progress();
            show(&describe(wish, seed, &violation, &trace_of(wish, seed)))?;
            return Ok(ExitCode::from(EXIT_FAILED));
        }
        report_progress(&sum, seeds);
    }
    erase_progress();
    let real = clock.now().0.max(1);
    show(&table(&sum, real)).map(|_| ExitCode::SUCCESS)
}

fn parse(words: &[String]) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut parser = Parser::from_args(words);
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Arg::Long("seed") => wish.seed = Some(value(&mut parser)?),
            Arg::Long("seeds") => wish.seeds = Some(value(&mut parser)?),
            Arg::Long("events") => wish.events = Some(value(&mut parser)?),
            Arg::Long("lines") => wish.lines = Some(value(&mut parser)?),
            Arg::Long("planted") => {
                let name: String = value(&mut parser)?;
                let planted = Planted::ALL.iter().find(|planted| planted.name() == name);
                wish.planted = Some(*planted.ok_or_else(|| format!("there is no planted fault {name:?}"))?);
            }
            Arg::Long("nodes") => {
                wish.nodes = Some(value(&mut parser)?);
                if !wish.nodes.is_some_and(|nodes| (1..=7).contains(&nodes)) {
                    return Err("--nodes is a number from 1 to 7".to_owned());
                }
            }
            Arg::Long("help") | Arg::Short('h') => wish.is_help = true,
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(wish)
}

fn value<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    parser: &mut Parser,
) -> Result<T, String> {
    let word = parser.value().map_err(|error| error.to_string())?;
    word.parse().map_err(|error: lexopt::Error| error.to_string())
}

fn order(wish: Wish, seed: u64) -> Order {
    Order { seed, nodes: wish.nodes, events: wish.events, planted: wish.planted, lines: None }
}

/// The seed that runs now, for the hook.
static SEED: AtomicU64 = AtomicU64::new(0);

/// Whether a seed is being run again for its trace, and where that goes.
static IS_REPLAY: AtomicBool = AtomicBool::new(false);
static TRACE: Mutex<Option<Lines>> = Mutex::new(None);

/// A node has stopped itself. The first time, the seed is run again; the second time, that run has come to
/// the same point, and its trace is shown.
fn stop(wish: Wish, panic: &PanicHookInfo<'_>) {
    let seed = SEED.load(Ordering::Relaxed);
    if !IS_REPLAY.swap(true, Ordering::SeqCst) {
        let again = thread::spawn(move || trace_of(wish, seed));
        drop(again.join());
    }
    let lines = TRACE.lock().map(|lines| lines.clone()).ok().flatten();
    let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
    let reason = panic.payload_as_str().unwrap_or("no reason given");
    let detail = format!("a node stopped itself{place}: {reason}");
    let taken = lines.map_or_else(Vec::new, |lines| lines.taken());
    // The process ends here; a reader that has gone away is no failure.
    let _ = show(&explain(wish, seed, &detail, &taken));
    process::exit(i32::from(EXIT_INTERNAL));
}

/// Runs a seed again and keeps the end of its trace.
fn trace_of(wish: Wish, seed: u64) -> Vec<String> {
    let lines = Lines::keep(wish.lines.unwrap_or(LINES).max(1));
    if let Ok(mut trace) = TRACE.lock() {
        *trace = Some(lines.clone());
    }
    run_seed(&Order { lines: Some(lines.clone()), ..order(wish, seed) });
    lines.taken()
}

fn describe(wish: Wish, seed: u64, violation: &Violation, lines: &[String]) -> String {
    let detail = format!("{}: {}\n{}", violation.id, violation.sentence(), violation.detail);
    explain(wish, seed, &detail, lines)
}

fn explain(wish: Wish, seed: u64, detail: &str, lines: &[String]) -> String {
    let mut text = String::from("the last events:\n\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let mut command = format!("quorate sim --seed {seed}");
    if let Some(nodes) = wish.nodes {
        command.push_str(&format!(" --nodes {nodes}"));
    }
    if let Some(events) = wish.events {
        command.push_str(&format!(" --events {events}"));
    }
    if let Some(planted) = wish.planted {
        command.push_str(&format!(" --planted {}", planted.name()));
    }
    format!("{text}\nbroken: {detail}\nseed:   {seed}\nagain:  {command}\n")
}

/// One line that is written over again and again, for people only.
fn report_progress(sum: &Summary, seeds: u64) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let hours = hours(sum.time.0);
        let line = format!("\r{} of {seeds} seeds, {} events, {hours:.2} hours", sum.runs, sum.events);
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

fn erase_progress() {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = out.write_all(b"\r\x1b[K").and_then(|()| out.flush());
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn hours(micros: u64) -> f64 {
    micros as f64 / 3.6e9
}

/// Figures of all runs: what was done, how fast, and which rare situations were met.
fn table(sum: &Summary, real: u64) -> String {
    let speed = sum.time.0 / real;
    let mut text = format!(
        "seeds        {:>12}   all clean\nevents       {:>12}   {} a second\n\
         virtual time {:>10.2} h   {speed} times as fast as real time\n\
         committed    {:>12}   entries\n\
         recovery     {:>10.2} s   at most, from the last fault to the last answer\n\n",
        sum.runs,
        sum.events,
        sum.events.saturating_mul(1_000_000) / real,
        hours(sum.time.0),
        sum.committed,
        hours(sum.recovery_max.0) * 3_600.0,
    );
    for (situation, count) in sum.sometimes.all() {
        text.push_str(&format!("{count:>12}  {situation}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_command_line_is_understood() {
        let wish = parse(&words("--seed 7 --nodes 5 --events 900")).expect("it makes sense");
        assert_eq!((wish.seed, wish.nodes, wish.events), (Some(7), Some(5), Some(900)));
        let wish = parse(&words("--planted skip-mark")).expect("it makes sense");
        assert_eq!(wish.planted, Some(Planted::SkipMark));
        assert!(parse(&words("--planted nothing")).is_err());
        assert!(parse(&words("--nodes 8")).is_err());
        assert!(parse(&words("--seed x")).is_err());
        assert!(parse(&words("seven")).is_err());
    }

    #[test]
    fn a_violation_is_shown_with_the_command_that_repeats_it() {
        let wish = Wish { nodes: Some(3), ..Wish::default() };
        let violation = Violation { id: "S1", detail: "n1 and n2".to_owned() };
        let text = describe(wish, 42, &violation, &["line".to_owned()]);
        assert!(text.ends_with("again:  quorate sim --seed 42 --nodes 3\n"), "{text}");
        assert!(text.contains("S1: a term has one leader"), "{text}");
    }
}
