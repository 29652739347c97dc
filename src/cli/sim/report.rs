//! What `quorate sim` prints: a table or JSON, and a violation with all that is needed to see it again.

use serde_json::{Value, json};

use super::options;
use crate::sim::{Order, Size, Summary};

/// A run that failed.
pub(super) struct Failed {
    pub(super) order: Order,
    pub(super) size: Size,
    /// The broken promise, and what it says.
    pub(super) id: String,
    pub(super) sentence: String,
    /// What happened.
    pub(super) detail: String,
}

/// The id of a run in which a node found itself in the wrong and stopped.
pub(super) const STOPPED: &str = "stopped";
pub(super) const STOPPED_SENTENCE: &str = "no node finds itself in the wrong";

/// The id of a seed that did not run twice in the same way.
pub(super) const REPEATABLE: &str = "repeatable";
pub(super) const REPEATABLE_SENTENCE: &str = "equal orders give equal runs";

impl Failed {
    /// The command that shows it again.
    pub(super) fn command(&self) -> String {
        format!("quorate sim {}", options::words(&self.order).join(" "))
    }

    /// For people: the end of the trace, then what it comes to.
    pub(super) fn text(&self, lines: &[String]) -> String {
        let Failed { order, size, id, sentence, detail } = self;
        let mut text = format!("The last {} lines of the trace:\n\n", lines.len());
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let faults: Vec<&str> = size.faults.iter().map(|fault| fault.name()).collect();
        text.push_str(&format!(
            "\nbroken  {id}: {sentence}\n        {detail}\nseed    {}\nrun     {}\nfaults  {}\nagain   {}\n",
            order.seed,
            extent(size),
            if faults.is_empty() { "none".to_owned() } else { faults.join(", ") },
            self.command(),
        ));
        text
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let faults: Vec<&str> = self.size.faults.iter().map(|fault| fault.name()).collect();
        json!({
            "seed": self.order.seed,
            "id": self.id,
            "sentence": self.sentence,
            "detail": self.detail,
            "command": self.command(),
            "nodes": self.size.nodes,
            "clients": self.size.clients,
            "operations": self.size.operations,
            "events": self.size.events,
            "faults": faults,
            "strikes": self.size.strikes,
        })
    }
}

/// How large a run is, in words.
pub(super) fn extent(size: &Size) -> String {
    let Size { nodes, clients, operations, events, faults, strikes } = size;
    let kinds = faults.len();
    format!(
        "{events} events, {nodes} nodes, {clients} clients, {operations} requests, \
         {kinds} kinds of trouble, {strikes} strikes"
    )
}

/// All runs in one line of JSON.
pub(super) fn json(sum: &Summary, repeated: u64, real: u64, failed: Option<&Failed>) -> String {
    let sometimes: serde_json::Map<String, Value> =
        sum.sometimes.all().into_iter().map(|(text, count)| (text.to_owned(), count.into())).collect();
    let document = json!({
        "seeds": sum.runs,
        "repeated": repeated,
        "events": sum.events,
        "virtual_us": sum.time.0,
        "real_us": real,
        "committed": sum.committed,
        "recovery_max_us": sum.recovery_max.0,
        "sometimes": sometimes,
        "failure": failed.map(Failed::json),
    });
    format!("{document}\n")
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn hours(micros: u64) -> f64 {
    micros as f64 / 3.6e9
}

/// Figures of all runs: what was done, how fast, and which rare situations were met.
pub(super) fn table(sum: &Summary, repeated: u64, real: u64) -> String {
    let speed = sum.time.0 / real;
    let mut text = format!(
        "seeds        {:>12}   all clean\nrepeated     {:>12}   every hundredth, with equal traces\n\
         events       {:>12}   {} a second\n\
         virtual time {:>10.2} h   {speed} times as fast as real time\n\
         committed    {:>12}   entries\n\
         recovery     {:>10.2} s   at most, from the last fault to the last answer\n\n",
        sum.runs,
        repeated,
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

    fn failed() -> Failed {
        Failed {
            order: Order { seed: 42, nodes: Some(3), ..Order::default() },
            size: Size { nodes: 3, ..Size::default() },
            id: "S1".to_owned(),
            sentence: "a term has one leader".to_owned(),
            detail: "n1 and n2".to_owned(),
        }
    }

    #[test]
    fn a_violation_is_shown_with_the_command_that_repeats_it() {
        let text = failed().text(&["line".to_owned()]);
        assert!(text.ends_with("again   quorate sim --seed 42 --nodes 3\n"), "{text}");
        assert!(text.contains("broken  S1: a term has one leader"), "{text}");
    }

    #[test]
    fn programs_find_everything_in_one_line() {
        let line = json(&Summary::default(), 0, 1, Some(&failed()));
        assert_eq!(line.matches('\n').count(), 1);
        let document: Value = serde_json::from_str(&line).expect("it is JSON");
        assert_eq!(document["failure"]["command"], "quorate sim --seed 42 --nodes 3");
        assert_eq!(document["sometimes"]["leaders elected"], 0);
    }
}
