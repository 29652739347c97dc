//! The effective settings as a file of settings, each with its source as a comment.
//!
//! What is printed can be stored and given back with `--config`.

use super::{SETTINGS, Settings, Source};
use crate::net::Address;
use crate::runtime::Placement;

/// All settings, in the order of the table.
pub(super) fn text(settings: &Settings, source: impl Fn(&str) -> Source) -> String {
    let lines: Vec<(String, Source)> = SETTINGS
        .iter()
        .map(|setting| {
            let value = value(settings, setting.name);
            (format!("{} = {value}", setting.name), source(setting.name))
        })
        .collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= 60).max();
    let width = width.unwrap_or(0);
    lines.into_iter().map(|(line, source)| format!("{line:width$}  # {source}\n")).collect()
}

fn value(settings: &Settings, name: &str) -> String {
    let Settings { client, peer, peers, .. } = settings;
    match name {
        "id" => settings.id.0.to_string(),
        "data" => quoted(&settings.data.display().to_string()),
        "client" => array(client.iter().map(Address::to_string)),
        "peer" => array(peer.iter().map(Address::to_string)),
        "peers" => array(peers.iter().map(|(id, address)| format!("{}={address}", id.0))),
        "cluster" => quoted(&settings.cluster),
        "bootstrap" => settings.bootstrap.to_string(),
        "join" => settings.join.to_string(),
        "election-timeout" => (settings.election_timeout.0 / 1_000).to_string(),
        "heartbeat" => (settings.heartbeat.0 / 1_000).to_string(),
        "snapshot-bytes" => settings.snapshot_bytes.to_string(),
        "value-bytes-max" => settings.value_bytes_max.to_string(),
        "placement" => quoted(match settings.placement {
            Placement::Fused => "fused",
            Placement::Split => "split",
        }),
        "leases" => settings.leases.to_string(),
        _ => unreachable!("every setting of the table is shown"),
    }
}

fn array(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.map(|word| quoted(&word)).collect();
    format!("[{}]", words.join(", "))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|letter| match letter {
            '"' | '\\' => vec!['\\', letter],
            other if other.is_control() => format!("\\u{:04X}", u32::from(other)).chars().collect(),
            other => vec![other],
        })
        .collect();
    format!("\"{escaped}\"")
}
