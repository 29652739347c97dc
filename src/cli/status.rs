//! `quorate status`: how the nodes of a cluster are doing, on one screen.
//!
//! Every node is asked for itself, all at the same time, and none for longer than a second: a node that does
//! not answer is one of the things to be shown.

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use super::client::{Client, Reply};
use super::prompt::ADDRESS_DEFAULT;
use super::{EXIT_FAILED, Failure, help, is_for_people, show, show_bytes};
use crate::net::Address;

/// How long a node may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between two pictures.
const PAUSE: Duration = Duration::from_secs(1);

/// To the upper left, and nothing below it.
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug, Default)]
struct Options {
    addresses: Vec<Address>,
    is_watch: bool,
    is_help: bool,
}

/// What is known of a node: what it says of itself, or why it says nothing.
type Row = (Address, Result<Report, String>);

/// What a node says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Report {
    /// The fields of INFO.
    fields: BTreeMap<String, String>,
    /// Keys in the store, if it could tell at once.
    keys: Option<i64>,
}

/// Asks and shows, once or until it is interrupted.
pub(super) fn run(words: &[String]) -> Result<ExitCode, Failure> {
    let options = Options::parse(words)?;
    if options.is_help {
        return show(&help::text(Some("status")).expect("status has a text"));
    }
    let clear = if options.is_watch && is_for_people() { CLEAR } else { "" };
    loop {
        let rows = ask_all(&options.addresses);
        let is_read = show_bytes(format!("{clear}{}", picture(&rows)).as_bytes())?;
        if !options.is_watch || !is_read {
            let is_led = leader(&rows).is_some();
            return Ok(if is_led { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) });
        }
        thread::sleep(PAUSE);
    }
}

impl Options {
    fn parse(words: &[String]) -> Result<Options, Failure> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let wrong = |error: lexopt::Error| Failure::usage_of("status", error.to_string());
        let mut options = Options::default();
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Long("connect") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(wrong)?;
                    for part in text.split(',').map(str::trim) {
                        let address = part.parse().map_err(|error| Failure::usage_of("status", error))?;
                        options.addresses.push(address);
                    }
                }
                Long("watch") => options.is_watch = true,
                Long("help") | Short('h') => options.is_help = true,
                other => return Err(wrong(other.unexpected())),
            }
        }
        if options.addresses.is_empty() {
            options.addresses.push(ADDRESS_DEFAULT.parse().expect("it is an address"));
        }
        Ok(options)
    }
}

fn ask_all(addresses: &[Address]) -> Vec<Row> {
    thread::scope(|scope| {
        let threads: Vec<_> = addresses.iter().map(|address| scope.spawn(|| ask(address))).collect();
        let reports = threads.into_iter().map(|thread| thread.join().expect("asking does not panic"));
        addresses.iter().cloned().zip(reports).collect()
    })
}

fn ask(address: &Address) -> Result<Report, String> {
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer within a second".to_owned(),
        _ => error.to_string(),
    };
    let mut client = Client::connect(address, Some(PATIENCE)).map_err(said)?;
    let info = client.ask(&["INFO"]).map_err(said)?;
    let text = info.text().ok_or_else(|| "INFO is answered by no text".to_owned())?;
    let mut report = Report { fields: fields(&text), keys: None };
    if report.number("term").is_none() {
        return Err("it is no quorate node".to_owned());
    }
    // Without a leader the node would wait for one.
    if report.leader().is_some()
        && let Ok(Reply::Integer(keys)) = client.ask(&["DBSIZE"])
    {
        report.keys = Some(keys);
    }
    Ok(report)
}

fn fields(info: &str) -> BTreeMap<String, String> {
    let field = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
    info.lines().filter(|line| !line.starts_with('#')).filter_map(field).collect()
}

impl Report {
    fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("-", String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.fields.get(name)?.parse().ok()
    }

    /// The leader, as far as this node knows.
    fn leader(&self) -> Option<&str> {
        self.fields.get("leader").map(String::as_str).filter(|leader| *leader != "none")
    }
}

/// The leader of the latest term that anybody knows of.
fn leader(rows: &[Row]) -> Option<&str> {
    let reports = rows.iter().filter_map(|(_, report)| report.as_ref().ok());
    let led = reports.filter(|report| report.leader().is_some());
    led.max_by_key(|report| report.number("term")).and_then(Report::leader)
}

fn picture(rows: &[Row]) -> String {
    let leader = leader(rows);
    let commit = rows
        .iter()
        .filter_map(|(_, report)| report.as_ref().ok())
        .filter(|report| Some(report.text("node")) == leader)
        .find_map(|report| report.number("commit"));
    let head = ["node", "address", "role", "term", "leader", "commit", "lag", "keys", "log", "memory"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    table.extend(rows.iter().map(|(address, report)| cells(address, report, commit)));
    let mut text = aligned(&table);
    text.push_str(&format!(
        "\nleader: {}\n",
        leader.map_or("none known".to_owned(), |id| format!("node {id}"))
    ));
    for (id, place) in not_asked(rows) {
        text.push_str(&format!("not asked: node {id}, which the others reach at {place}\n"));
    }
    text
}

fn cells(address: &Address, report: &Result<Report, String>, leading: Option<u64>) -> Vec<String> {
    let report = match report {
        Ok(report) => report,
        Err(why) => return vec!["-".into(), address.to_string(), format!("unreachable: {why}")],
    };
    let lag = leading.zip(report.number("commit")).map(|(leading, commit)| leading.saturating_sub(commit));
    let or_dash = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    vec![
        report.text("node").to_owned(),
        address.to_string(),
        report.text("state").to_owned(),
        report.text("term").to_owned(),
        report.text("leader").to_owned(),
        report.text("commit").to_owned(),
        or_dash(lag.map(|lag| lag.to_string())),
        or_dash(report.keys.map(|keys| keys.to_string())),
        if report.text("log_is_full") == "1" { "full".to_owned() } else { "ok".to_owned() },
        or_dash(report.number("used_memory").map(megabytes)),
    ]
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

/// Columns as wide as their widest cell; the last cell of a row may be longer.
fn aligned(table: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..table[0].len())
        .map(|column| {
            let inner = table.iter().filter(|row| row.len() > column + 1 || row.len() == table[0].len());
            inner.map(|row| row[column].chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    table.iter().map(line).collect()
}

/// Nodes that those who answered know of and that nobody asked, with their addresses among nodes.
fn not_asked(rows: &[Row]) -> BTreeMap<String, String> {
    if rows.iter().any(|(_, report)| report.is_err()) {
        // It may be one of those that did not answer.
        return BTreeMap::new();
    }
    let reports = || rows.iter().filter_map(|(_, report)| report.as_ref().ok());
    let members = reports().flat_map(|report| &report.fields).filter_map(|(name, value)| {
        let id = name.strip_prefix("member").filter(|id| id.parse::<u16>().is_ok())?;
        let address = value.strip_prefix("address=")?.rsplit_once(',')?.0;
        Some((id.to_owned(), address.to_owned()))
    });
    let mut members: BTreeMap<String, String> = members.collect();
    reports().for_each(|report| drop(members.remove(report.text("node"))));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(node: u16, term: u64, leader: &str, commit: u64) -> Report {
        let info = format!(
            "# Raft\r\nnode:{node}\r\nstate:follower\r\nterm:{term}\r\nleader:{leader}\r\ncommit:{commit}\r\n\
             log_is_full:0\r\nused_memory:2650000\r\nmember1:address=unix:/1,voter\r\n\
             member2:address=unix:/2,voter\r\n"
        );
        Report { fields: fields(&info), keys: Some(7) }
    }

    fn address(name: &str) -> Address {
        format!("unix:/{name}").parse().unwrap()
    }

    #[test]
    fn the_leader_of_the_latest_term_counts() {
        let rows = [
            (address("a"), Ok(report(1, 3, "1", 90))),
            (address("b"), Ok(report(2, 4, "2", 100))),
            (address("c"), Err("gone".to_owned())),
        ];
        assert_eq!(leader(&rows), Some("2"));
        let text = picture(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "node  address  role      term  leader  commit  lag  keys  log  memory");
        assert_eq!(lines[1], "1     unix:/a  follower  3     1       90      10   7     ok   2.6 MB");
        assert_eq!(lines[3], "-     unix:/c  unreachable: gone");
        assert_eq!(lines[5], "leader: node 2");
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn nobody_leads_when_nobody_knows_a_leader() {
        let rows = [(address("a"), Ok(report(1, 3, "none", 90))), (address("b"), Err("gone".to_owned()))];
        assert_eq!(leader(&rows), None);
        assert!(picture(&rows).contains("\nleader: none known\n"));
        assert_eq!(leader(&[]), None);
    }

    #[test]
    fn members_that_nobody_asked_are_named() {
        let rows = [(address("a"), Ok(report(1, 3, "1", 90)))];
        assert!(picture(&rows).ends_with("not asked: node 2, which the others reach at unix:/2\n"));
    }

    #[test]
    fn addresses_come_in_lists() {
        let words = ["--connect", "unix:/a, tcp:127.0.0.1:1", "--connect=/b", "--watch"].map(str::to_owned);
        let options = Options::parse(&words).unwrap();
        assert_eq!(options.addresses.len(), 3);
        assert!(options.is_watch);
        assert!(Options::parse(&["more".to_owned()]).is_err());
        assert_eq!(Options::parse(&[]).unwrap().addresses.len(), 1);
    }
}
