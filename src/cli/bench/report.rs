//! What a load has shown, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::load::{End, Judgement, Kind, KindFigures, Outcome, Pace, Plan};

/// The parts of a latency's distribution that are shown: name for people, name for programs, quantile.
const QUANTILES: [(&str, &str, f64); 4] =
    [("p50", "p50", 0.5), ("p90", "p90", 0.9), ("p99", "p99", 0.99), ("p99.9", "p999", 0.999)];

/// Kinds that were asked.
fn kinds(outcome: &Outcome) -> impl Iterator<Item = (Kind, &KindFigures)> {
    Kind::ALL.into_iter().zip(&outcome.figures.kinds).filter(|(_, figures)| figures.sent > 0)
}

/// A count per second, for people.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn a_second(count: u64, time: Duration) -> String {
    let rate = count as f64 / time.as_secs_f64().max(1e-9);
    grouped(&format!("{rate:.0}"))
}

/// Digits with a comma after every three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// For people.
pub(super) fn table(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = describe(plan);
    let figures = &outcome.figures;
    text.push_str("\n            answers    a second");
    for (name, _, _) in QUANTILES {
        write!(text, "{name:>10}").expect("a text takes everything");
    }
    text.push_str("       max   (milliseconds)\n");
    let shown: Vec<_> = kinds(outcome).collect();
    for (kind, figures) in &shown {
        text.push_str(&row(kind.name(), figures.answered, &figures.latency, outcome.measured));
    }
    if shown.len() != 1 {
        text.push_str(&row("all", figures.answered_in_all(), &figures.latency(), outcome.measured));
    }
    text.push('\n');
    for (name, what) in remarks(plan, outcome) {
        writeln!(text, "{name:<12}{what}").expect("a text takes everything");
    }
    text
}

fn row(name: &str, answered: u64, latency: &Histogram<u64>, measured: Duration) -> String {
    let count = grouped(&answered.to_string());
    let mut text = format!("{name:<6}{count:>13}{:>12}", a_second(answered, measured));
    let values = QUANTILES.map(|(_, _, quantile)| latency.value_at_quantile(quantile));
    for nanoseconds in values.into_iter().chain([latency.max()]) {
        write!(text, "{:>10}", milliseconds(nanoseconds)).expect("a text takes everything");
    }
    text.push('\n');
    text
}

/// With so many places that what is short can be told apart.
fn milliseconds(nanoseconds: u64) -> String {
    let milliseconds = Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3;
    let places = if milliseconds < 10.0 { 3 } else { 1 };
    format!("{milliseconds:.places$}")
}

fn describe(plan: &Plan) -> String {
    let Plan { clients, pipeline, mix, keys, distribution, value, .. } = plan;
    let addresses: Vec<String> = plan.addresses.iter().map(ToString::to_string).collect();
    let pace = match plan.pace {
        Pace::Closed => "closed loop: each connection asks again when it has its answers".to_owned(),
        Pace::Open { rate } => {
            format!("open loop: {rate} requests a second, latencies counted from when each was due")
        }
    };
    format!(
        "{} with {clients} connections, pipeline {pipeline}, {mix}\n{keys} keys, {distribution}, values of \
         {value} bytes\n{pace}\n",
        addresses.join(", ")
    )
}

/// What else is to be said, by the line.
fn remarks(plan: &Plan, outcome: &Outcome) -> Vec<(&'static str, String)> {
    let figures = &outcome.figures;
    let mut remarks = Vec::new();
    remarks.push((
        "requests",
        format!(
            "{} sent: {} answered, {} refused, {} uncertain, {} failed, {} unknown",
            figures.sent_in_all(),
            figures.answered_in_all(),
            figures.refused,
            figures.uncertain,
            figures.failed,
            figures.unknown
        ),
    ));
    let missed: u64 = figures.kinds.iter().map(|kind| kind.missed).sum();
    if missed > 0 {
        remarks.push(("no value", format!("{missed} gets found nothing (--fill writes every key before)")));
    }
    for (code, count) in &figures.codes {
        remarks.push(("error", format!("{count} times {code}")));
    }
    if let Some(loss) = &outcome.first_loss {
        let count = outcome.lost_connections;
        remarks.push(("connections", format!("{count} lost and opened anew; the first to {loss}")));
    }
    if outcome.unfilled > 0 {
        remarks.push(("fill", format!("{} keys were perhaps not written", outcome.unfilled)));
    }
    if outcome.is_cut_short {
        let why =
            if outcome.checked.is_some() { "stopped, or all that a check remembers" } else { "stopped" };
        remarks.push(("ended early", why.to_owned()));
    }
    if let Pace::Open { rate } = plan.pace {
        remarks.push(("schedule", schedule(rate, outcome)));
    }
    if let Some(processor) = outcome.processor {
        remarks.push(("generator", generator(processor, outcome)));
    }
    if let Some(checked) = &outcome.checked {
        let what = format!("{} requests about {} keys", checked.operations, checked.keys);
        remarks.push((
            "check",
            match &checked.judgement {
                Judgement::Linearizable => format!("linearizable: {what}"),
                Judgement::Undecided(keys) => format!("undecided for {keys} keys, others in order: {what}"),
                Judgement::Violated(violation) => format!("VIOLATED among {what}\n{violation}"),
            },
        ));
    }
    remarks
}

fn schedule(rate: u64, outcome: &Outcome) -> String {
    let late = milliseconds(outcome.figures.lateness.value_at_quantile(0.99));
    if outcome.unsent == 0 {
        return format!("kept: 99 of 100 requests left within {late} ms of their time");
    }
    format!(
        "NOT KEPT: {} requests never left, the server cannot do {rate} a second (or not with so few \
         connections)",
        outcome.unsent
    )
}

fn generator(processor: Duration, outcome: &Outcome) -> String {
    let share = 100.0 * processor.as_secs_f64() / outcome.measured.as_secs_f64().max(1e-9);
    format!(
        "{:.2} s of processor time, {:.2} s a million requests, busy for {share:.0} %",
        processor.as_secs_f64(),
        a_million(processor, outcome)
    )
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn a_million(processor: Duration, outcome: &Outcome) -> f64 {
    processor.as_secs_f64() * 1e6 / outcome.figures.sent_in_all().max(1) as f64
}

/// For programs. Times are in seconds, latencies in microseconds.
pub(super) fn json(plan: &Plan, outcome: &Outcome) -> String {
    let figures = &outcome.figures;
    let seconds = outcome.measured.as_secs_f64();
    let operations: serde_json::Map<String, Value> =
        kinds(outcome).map(|(kind, figures)| (kind.name().to_owned(), kind_json(figures, seconds))).collect();
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "plan": plan_json(plan),
        "seconds": seconds,
        "sent": figures.sent_in_all(),
        "answered": figures.answered_in_all(),
        "refused": figures.refused,
        "uncertain": figures.uncertain,
        "failed": figures.failed,
        "unknown": figures.unknown,
        "unsent": outcome.unsent,
        "unfilled": outcome.unfilled,
        "errors": figures.codes,
        "lost_connections": outcome.lost_connections,
        "first_loss": outcome.first_loss,
        "ended_early": outcome.is_cut_short,
        "throughput": rate(figures.answered_in_all(), seconds),
        "latency_us": latency_json(&figures.latency()),
        "lateness_us": latency_json(&figures.lateness),
        "operations": operations,
        "generator": outcome.processor.map(|processor| json!({
            "cpu_seconds": processor.as_secs_f64(),
            "cpu_seconds_per_million": a_million(processor, outcome),
            "busy": processor.as_secs_f64() / seconds.max(1e-9),
        })),
        "check": check_json(outcome),
    });
    format!("{value:#}\n")
}

fn check_json(outcome: &Outcome) -> Value {
    let Some(checked) = &outcome.checked else { return Value::Null };
    let (verdict, detail) = match &checked.judgement {
        Judgement::Linearizable => ("linearizable", Value::Null),
        Judgement::Undecided(keys) => ("undecided", json!(keys)),
        Judgement::Violated(violation) => ("violated", json!(violation.to_string())),
    };
    json!({
        "operations": checked.operations,
        "keys": checked.keys,
        "verdict": verdict,
        "detail": detail,
    })
}

fn plan_json(plan: &Plan) -> Value {
    let addresses: Vec<String> = plan.addresses.iter().map(ToString::to_string).collect();
    json!({
        "addresses": addresses,
        "clients": plan.clients,
        "pipeline": plan.pipeline,
        "mix": plan.mix.to_string(),
        "keys": plan.keys,
        "distribution": plan.distribution.to_string(),
        "value": plan.value.to_string(),
        "loop": if plan.pace == Pace::Closed { "closed" } else { "open" },
        "rate": match plan.pace { Pace::Open { rate } => Some(rate), Pace::Closed => None },
        "seconds": match plan.end { End::After(time) => Some(time.as_secs_f64()), End::Requests(_) => None },
        "requests": match plan.end { End::Requests(count) => Some(count), End::After(_) => None },
        "warmup": plan.warmup.as_secs_f64(),
        "seed": plan.seed,
        "fill": plan.is_filled,
        "check": plan.is_checked,
    })
}

fn kind_json(figures: &KindFigures, seconds: f64) -> Value {
    json!({
        "sent": figures.sent,
        "answered": figures.answered,
        "missed": figures.missed,
        "throughput": rate(figures.answered, seconds),
        "latency_us": latency_json(&figures.latency),
    })
}

#[expect(clippy::cast_precision_loss, reason = "no count comes near 2^53")]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(1e-9)
}

fn latency_json(latency: &Histogram<u64>) -> Value {
    let micros = |nanoseconds: u64| json!(Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6);
    let mut map = serde_json::Map::new();
    for (_, name, quantile) in QUANTILES {
        map.insert(name.to_owned(), micros(latency.value_at_quantile(quantile)));
    }
    map.insert("max".to_owned(), micros(latency.max()));
    map.insert("mean".to_owned(), json!(latency.mean() / 1e3));
    Value::Object(map)
}
