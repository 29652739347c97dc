//! The command line of `quorate bench`.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::cli::prompt::ADDRESS_DEFAULT;
use crate::limits::{
    LOAD_CLIENTS_MAX, LOAD_HISTORY_MAX, LOAD_IN_FLIGHT_BYTES_MAX, LOAD_IN_FLIGHT_MAX, LOAD_KEYS_MAX,
};
use crate::load::{Distribution, End, Kind, Pace, Plan, STAMP_BYTES};
use crate::runtime::arbitrary_seed;

/// Longest time that can be asked for, in seconds: a day.
const SECONDS_MAX: f64 = 86_400.0;

/// Requests a second that can be asked for.
const RATE_MAX: u64 = 100_000_000;

/// How the result is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Table,
    Json,
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) plan: Plan,
    pub(super) form: Form,
    pub(super) interval: Option<Duration>,
}

impl Options {
    /// Reads a command line; `None` if it asks for help.
    pub(super) fn parse(words: &[String]) -> Result<Option<Options>, String> {
        let mut options = Options { plan: usual(), form: Form::Table, interval: None };
        let mut ends = Vec::new();
        let mut parser = Parser::from_args(words);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Short('h') => return Ok(None),
                Arg::Long("help") => return Ok(None),
                Arg::Long("json") => options.form = Form::Json,
                Arg::Long("interval") => options.interval = Some(seconds(&mut parser, "--interval", 1.0)?),
                Arg::Long("seconds") => ends.push(End::After(seconds(&mut parser, "--seconds", 0.001)?)),
                Arg::Long("requests") => {
                    ends.push(End::Requests(number(&mut parser, "--requests", 1, u64::MAX / 2)?));
                }
                Arg::Value(word) => {
                    let text = word.string().map_err(|error| error.to_string())?;
                    options.plan.addresses.push(text.parse()?);
                }
                Arg::Long(name) => {
                    let name = name.to_owned();
                    read(&mut options.plan, &name, &mut parser)?;
                }
                other @ Arg::Short(_) => return Err(other.unexpected().to_string()),
            }
        }
        match ends[..] {
            [] => {}
            [end] => options.plan.end = end,
            [..] => return Err("--seconds and --requests are two ways to say one thing; give one".to_owned()),
        }
        let plan = &mut options.plan;
        if plan.addresses.is_empty() {
            plan.addresses.push(ADDRESS_DEFAULT.parse().expect("it is an address"));
        }
        if plan.is_checked {
            plan.prefix = format!("check-{:016x}:", arbitrary_seed());
        }
        refuse_too_much(plan)?;
        Ok(Some(options))
    }
}

/// The load that nobody has asked to be different.
fn usual() -> Plan {
    Plan {
        addresses: Vec::new(),
        clients: 50,
        pipeline: 1,
        mix: "set=1".parse().expect("it is a mix"),
        keys: 100_000,
        prefix: String::new(),
        distribution: Distribution::Uniform,
        value: "32".parse().expect("it is a size"),
        pace: Pace::Closed,
        end: End::After(Duration::from_secs(10)),
        warmup: Duration::ZERO,
        seed: 1,
        is_filled: false,
        is_checked: false,
    }
}

/// Reads an option that says something about the load.
fn read(plan: &mut Plan, name: &str, parser: &mut Parser) -> Result<(), String> {
    let size = |number: u64| usize::try_from(number).expect("the bound is small");
    match name {
        "clients" => plan.clients = size(number(parser, "--clients", 1, LOAD_CLIENTS_MAX as u64)?),
        "pipeline" => plan.pipeline = size(number(parser, "--pipeline", 1, LOAD_IN_FLIGHT_MAX as u64)?),
        "keys" => {
            let keys = number(parser, "--keys", 1, u64::from(LOAD_KEYS_MAX))?;
            plan.keys = u32::try_from(keys).expect("the bound is small");
        }
        "rate" => plan.pace = Pace::Open { rate: number(parser, "--rate", 1, RATE_MAX)? },
        "seed" => plan.seed = number(parser, "--seed", 0, u64::MAX)?,
        "warmup" => plan.warmup = seconds(parser, "--warmup", 0.0)?,
        "mix" => plan.mix = parsed(parser)?,
        "distribution" => plan.distribution = parsed(parser)?,
        "value" => plan.value = parsed(parser)?,
        "fill" => plan.is_filled = true,
        "check" => plan.is_checked = true,
        _ => return Err(format!("there is no option --{name}")),
    }
    Ok(())
}

fn text(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(ValueExt::string).map_err(|error| error.to_string())
}

fn parsed<T: FromStr<Err = String>>(parser: &mut Parser) -> Result<T, String> {
    text(parser)?.parse()
}

fn number(parser: &mut Parser, name: &str, low: u64, high: u64) -> Result<u64, String> {
    let text = text(parser)?;
    let found = text.parse().ok().filter(|number| (low..=high).contains(number));
    found.ok_or_else(|| out_of_range(name, &text, "a whole number", low, high))
}

fn seconds(parser: &mut Parser, name: &str, low: f64) -> Result<Duration, String> {
    let text = text(parser)?;
    let found = text.parse().ok().filter(|seconds| (low..=SECONDS_MAX).contains(seconds));
    found
        .map(Duration::from_secs_f64)
        .ok_or_else(|| out_of_range(name, &text, "a number of seconds", low, SECONDS_MAX))
}

fn out_of_range(name: &str, text: &str, what: &str, low: impl Display, high: impl Display) -> String {
    format!("{name} is {text:?}, must be {what} from {low} to {high}")
}

/// What would not fit in memory is refused before anything begins.
fn refuse_too_much(plan: &Plan) -> Result<(), String> {
    let in_flight = plan.clients * plan.pipeline;
    if in_flight > LOAD_IN_FLIGHT_MAX {
        return Err(format!(
            "{} clients with {} requests each are {in_flight} at a time; at most {LOAD_IN_FLIGHT_MAX} may be",
            plan.clients, plan.pipeline
        ));
    }
    if plan.mix.has(Kind::Set) && in_flight * plan.value.high > LOAD_IN_FLIGHT_BYTES_MAX {
        return Err(format!(
            "{in_flight} requests at a time with values of {} bytes are more than {LOAD_IN_FLIGHT_BYTES_MAX} \
             bytes; use fewer or shorter ones",
            plan.value.high
        ));
    }
    if !plan.is_checked {
        return Ok(());
    }
    if plan.value.low < STAMP_BYTES {
        return Err(format!(
            "--check needs values of {STAMP_BYTES} bytes or more, so that no two are equal; --value is {}",
            plan.value
        ));
    }
    match remembered(plan) {
        Some(count) if count > LOAD_HISTORY_MAX as f64 => Err(format!(
            "--check would have to remember {count:.0} requests; it remembers {LOAD_HISTORY_MAX}, filling \
             and warming up included: use fewer requests or keys, or less time"
        )),
        _ => Ok(()),
    }
}

/// Requests that a check would have to remember, as far as that can be told beforehand.
#[expect(clippy::cast_precision_loss, reason = "it is held against a bound that is far from exact")]
fn remembered(plan: &Plan) -> Option<f64> {
    let filled = if plan.is_filled { f64::from(plan.keys) } else { 0.0 };
    let rate = match plan.pace {
        Pace::Closed => None,
        Pace::Open { rate } => Some(rate as f64),
    };
    let warmed = rate.unwrap_or(0.0) * plan.warmup.as_secs_f64();
    let measured = match plan.end {
        End::Requests(count) => count as f64,
        End::After(time) => rate? * time.as_secs_f64(),
    };
    Some(filled + warmed + measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).map(|options| options.expect("it does not ask for help"))
    }

    #[test]
    fn a_command_line_becomes_a_plan() {
        let options =
            parse("unix:/a tcp:127.0.0.1:1 --mix=set=1,get=9 --rate 100 --seconds 2.5 --json").unwrap();
        assert_eq!(options.plan.addresses.len(), 2);
        assert_eq!(options.plan.mix.to_string(), "set=1,get=9");
        assert_eq!(options.plan.pace, Pace::Open { rate: 100 });
        assert_eq!(options.plan.end, End::After(Duration::from_millis(2500)));
        assert_eq!(options.form, Form::Json);
        let usual = parse("").unwrap().plan;
        assert_eq!(usual.addresses[0].to_string(), "tcp:127.0.0.1:6379");
        assert_eq!((usual.clients, usual.pipeline, usual.keys), (50, 1, 100_000));
        assert!(Options::parse(&["--help".to_owned()]).unwrap().is_none());
    }

    #[test]
    fn every_check_has_keys_of_its_own() {
        let prefix = |line| parse(line).unwrap().plan.prefix;
        assert_eq!(prefix("--mix get"), "");
        assert_ne!(prefix("--check --requests 10"), prefix("--check --requests 10"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (line, part) in [
            ("--clients 0", "--clients is \"0\", must be a whole number from 1 to 10000"),
            ("--seconds -1", "must be a number of seconds from 0.001"),
            ("--seconds 1 --requests 5", "give one"),
            ("--keys many", "must be a whole number"),
            ("--mix put=1", "of set, get, incr and ping"),
            ("--distribution normal", "write uniform"),
            ("--nonsense", "there is no option --nonsense"),
            ("--clients 1000 --pipeline 10000", "at most 1000000"),
            ("--pipeline 10000 --value 1048576", "use fewer or shorter ones"),
            ("--check --value 8", "--check needs values of 16 bytes"),
            ("--check --requests 4000001", "it remembers 4000000"),
            ("--check --rate 1000000 --seconds 5", "would have to remember 5000000"),
            ("--check --requests 3950000 --fill", "would have to remember 4050000"),
            ("nowhere", "is no address"),
        ] {
            let said = parse(line).unwrap_err();
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
