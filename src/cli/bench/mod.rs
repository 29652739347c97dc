//! `quorate bench`: load on a server of the Redis protocol.

mod options;
mod report;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::SIGINT;

use self::options::{Form, Options};
use super::{EXIT_FAILED, Failure, help, show};
use crate::load::{self, Judgement, Outcome, Progress, Stage};

/// Runs a load and shows what it has shown.
pub(super) fn run(words: &[String]) -> Result<ExitCode, Failure> {
    let Some(options) = Options::parse(words).map_err(|error| Failure::usage_of("bench", error))? else {
        return show(&help::text(Some("bench")).expect("bench has a text"));
    };
    let stop = stop_at_interrupt().map_err(|error| Failure::io(format!("cannot catch signals: {error}")))?;
    let mut reporter = Reporter::new(options.interval);
    let outcome = load::run(&options.plan, &stop, &mut |progress| reporter.report(progress));
    reporter.erase();
    let outcome = outcome.map_err(|error| Failure::io(error.to_string()))?;
    show(&match options.form {
        Form::Table => report::table(&options.plan, &outcome),
        Form::Json => report::json(&options.plan, &outcome),
    })?;
    conclude(&outcome)
}

/// The first Ctrl-C ends the measurement, the second the program.
fn stop_at_interrupt() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(&stop))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&stop))?;
    Ok(stop)
}

fn conclude(outcome: &Outcome) -> Result<ExitCode, Failure> {
    let reason = || outcome.first_loss.as_deref().unwrap_or("no reason known");
    if outcome.is_abandoned {
        return Err(Failure::io(format!("no connection was left; the first was lost: {}", reason())));
    }
    let checked = outcome.checked.as_ref().map(|checked| &checked.judgement);
    Ok(match checked {
        Some(Judgement::Violated(_) | Judgement::Undecided(_)) => ExitCode::from(EXIT_FAILED),
        Some(Judgement::Linearizable) | None => ExitCode::SUCCESS,
    })
}

/// Says on stderr how it is going: in one line that is written over again and again if a person sees it.
struct Reporter {
    /// Time between two reports, if there are to be any.
    interval: Option<Duration>,
    is_terminal: bool,
    /// What the report before was about.
    before: Option<Progress>,
}

impl Reporter {
    fn new(interval: Option<Duration>) -> Reporter {
        let is_terminal = io::stderr().is_terminal();
        let interval = interval.or(is_terminal.then_some(Duration::from_secs(1)));
        Reporter { interval, is_terminal, before: None }
    }

    fn report(&mut self, progress: &Progress) {
        let since = self.before.map_or(Duration::ZERO, |before| before.at);
        let passed = progress.at.saturating_sub(since);
        // The reports come a little more than a second apart.
        if self.interval.is_none_or(|interval| passed + Duration::from_millis(100) < interval) {
            return;
        }
        let answers = progress.answers - self.before.map_or(0, |before| before.answers);
        let line = describe(progress, answers, passed);
        let text = if self.is_terminal { format!("\r\x1b[K{line}") } else { format!("{line}\n") };
        self.say(&text);
        self.before = Some(*progress);
    }

    fn erase(&self) {
        if self.is_terminal && self.interval.is_some() {
            self.say("\r\x1b[K");
        }
    }

    fn say(&self, text: &str) {
        let mut out = io::stderr();
        // Nothing rests on it.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn describe(progress: &Progress, answers: u64, passed: Duration) -> String {
    let stage = match progress.stage {
        Stage::Connecting => "connecting".to_owned(),
        Stage::Filling { next } => format!("filling, {next} keys asked for"),
        Stage::Warming => "warming up".to_owned(),
        Stage::Measuring => "measuring".to_owned(),
        Stage::Draining { .. } | Stage::Over => "waiting for the last answers".to_owned(),
    };
    let rate = report::a_second(answers, passed);
    let Progress { errors, in_flight, connections, .. } = progress;
    let seconds = progress.at.as_secs();
    format!(
        "{seconds:>4} s  {stage}: {rate} answers a second, {errors} errors, {in_flight} on their way on \
         {connections} connections"
    )
}
