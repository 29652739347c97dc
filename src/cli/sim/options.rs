//! The options of `quorate sim`, and the words that give the same order again.

use lexopt::{Arg, Parser, ValueExt};

use crate::sim::{Fault, Order, Planted};

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// The first seed, if it is named.
    pub(super) seed: Option<u64>,
    /// How many seeds.
    pub(super) seeds: Option<u64>,
    /// Everything else that makes a run what it is.
    pub(super) order: Order,
    /// How many lines of a trace are shown.
    pub(super) lines: Option<usize>,
    /// Whether programs read the outcome.
    pub(super) is_json: bool,
    /// Whether a failing run is to be made smaller, and with how many attempts at most.
    pub(super) shrinks: bool,
    pub(super) attempts: Option<u64>,
    pub(super) is_help: bool,
}

impl Wish {
    /// The order for one seed.
    pub(super) fn order(&self, seed: u64) -> Order {
        Order { seed, ..self.order.clone() }
    }
}

/// Reads the command line.
pub(super) fn parse(words: &[String]) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let order = &mut wish.order;
    let mut parser = Parser::from_args(words);
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Arg::Long("seed") => wish.seed = Some(value(&mut parser)?),
            Arg::Long("seeds") => wish.seeds = Some(value(&mut parser)?),
            Arg::Long("nodes") => {
                order.nodes = Some(value(&mut parser)?);
                if !order.nodes.is_some_and(|nodes| (1..=7).contains(&nodes)) {
                    return Err("--nodes is a number from 1 to 7".to_owned());
                }
            }
            Arg::Long("clients") => {
                order.clients = Some(value(&mut parser)?);
                if !order.clients.is_some_and(|clients| (1..=100).contains(&clients)) {
                    return Err("--clients is a number from 1 to 100".to_owned());
                }
            }
            Arg::Long("operations") => order.operations = Some(value(&mut parser)?),
            Arg::Long("events") => order.events = Some(value(&mut parser)?),
            Arg::Long("faults") => order.faults = Some(faults(&value::<String>(&mut parser)?)?),
            Arg::Long("strikes") => order.strikes = Some(numbers(&value::<String>(&mut parser)?)?),
            Arg::Long("planted") => {
                let name: String = value(&mut parser)?;
                let planted =
                    Planted::named(&name).ok_or_else(|| unknown("planted fault", &name, &planted()))?;
                order.planted = Some(planted);
            }
            Arg::Long("defused") => order.is_defused = true,
            Arg::Long("lines") => wish.lines = Some(value(&mut parser)?),
            Arg::Long("json") => wish.is_json = true,
            Arg::Long("shrink") => wish.shrinks = true,
            Arg::Long("attempts") => wish.attempts = Some(value(&mut parser)?),
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

fn planted() -> Vec<&'static str> {
    Planted::ALL.iter().map(|planted| planted.name()).collect()
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    format!("there is no {what} {name:?}; there are: {}", known.join(", "))
}

/// `a,b,c`, or `none`.
fn faults(text: &str) -> Result<Vec<Fault>, String> {
    let known: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    let words = text.split(',').filter(|word| *word != "none");
    words.map(|word| Fault::named(word).ok_or_else(|| unknown("fault", word, &known))).collect()
}

/// `3,7-9`, or `none`.
fn numbers(text: &str) -> Result<Vec<u64>, String> {
    let mut numbers = Vec::new();
    for word in text.split(',').filter(|word| *word != "none") {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last && last < STRIKES_MAX => numbers.extend(first..=last),
            _ => return Err(format!("--strikes: {word:?} is neither a number nor a range like 3-7")),
        }
    }
    Ok(numbers)
}

/// No run is struck so often; a range that is longer is a slip of the finger.
const STRIKES_MAX: u64 = 1_000_000;

/// The options that give this order.
pub(super) fn words(order: &Order) -> Vec<String> {
    let mut words = vec!["--seed".to_owned(), order.seed.to_string()];
    let mut add = |flag: &str, value: Option<String>| {
        words.extend(value.map(|value| [format!("--{flag}"), value]).into_iter().flatten());
    };
    add("nodes", order.nodes.map(|number| number.to_string()));
    add("clients", order.clients.map(|number| number.to_string()));
    add("operations", order.operations.map(|number| number.to_string()));
    add("events", order.events.map(|number| number.to_string()));
    let faults =
        |faults: &Vec<Fault>| list(&faults.iter().map(|fault| fault.name().to_owned()).collect::<Vec<_>>());
    add("faults", order.faults.as_ref().map(faults));
    add("strikes", order.strikes.as_ref().map(|strikes| list(&ranges(strikes))));
    add("planted", order.planted.map(|planted| planted.name().to_owned()));
    if order.is_defused {
        words.push("--defused".to_owned());
    }
    words
}

fn list(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(",") }
}

/// Ascending numbers, with runs of them drawn together.
fn ranges(numbers: &[u64]) -> Vec<String> {
    let ends = |run: &[u64]| run.first().zip(run.last()).map(|(first, last)| (*first, *last));
    let runs = numbers.chunk_by(|left, right| left + 1 == *right).filter_map(ends);
    runs.map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_command_line_is_understood() {
        let wish =
            parse(&split("--seed 7 --nodes 5 --events 900 --faults crash,lose")).expect("it makes sense");
        assert_eq!((wish.seed, wish.order.nodes, wish.order.events), (Some(7), Some(5), Some(900)));
        assert_eq!(wish.order.faults, Some(vec![Fault::Crash, Fault::Lose]));
        let wish = parse(&split("--planted skip-mark --strikes 3,7-9")).expect("it makes sense");
        assert_eq!(wish.order.planted, Some(Planted::SkipMark));
        assert_eq!(wish.order.strikes, Some(vec![3, 7, 8, 9]));
        for nonsense in ["--planted nothing", "--nodes 8", "--seed x", "seven", "--faults x", "--strikes 9-3"]
        {
            assert!(parse(&split(nonsense)).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn the_words_of_an_order_give_it_again() {
        for text in [
            "--seed 7",
            "--seed 7 --nodes 3 --clients 2 --operations 9 --events 800 --faults none --strikes none",
            "--seed 1 --faults crash,lose --strikes 0-3,5,7-8 --planted forget-vote --defused",
        ] {
            let wish = parse(&split(text)).expect("it makes sense");
            let order = wish.order(wish.seed.expect("it is named"));
            assert_eq!(words(&order).join(" "), text);
        }
    }
}
