//! Every setting of `quorate serve`, once: what it is called, what it takes, what it is for.
//!
//! The help text, the check of a file's types and the names of variables are all made from this table, so
//! that a setting has one name wherever it is set.

/// What a setting takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A whole number.
    Number,
    /// Bytes: a whole number, or text like `64m`.
    Size,
    /// Text.
    Text,
    /// Several texts: a repeated flag, or separated by commas; an array in a file.
    List,
    /// Yes or no: a flag alone means yes.
    Switch,
}

impl Kind {
    /// How a file has to write it.
    pub fn in_file(self) -> &'static str {
        match self {
            Kind::Number => "a whole number",
            Kind::Size => "a whole number or a text like \"64m\"",
            Kind::Text => "a text in quotes",
            Kind::List => "a text in quotes or an array of texts",
            Kind::Switch => "true or false",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The flag without its dashes, and the key in a file.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What stands for the value in the help text.
    pub placeholder: &'static str,
    /// What is allowed.
    pub range: &'static str,
    /// What holds when nobody sets it.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

impl Setting {
    /// The setting of this name.
    pub fn find(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_uppercase().replace('-', "_"))
    }
}

/// What the names of our variables begin with.
pub(super) const VARIABLE_PREFIX: &str = "QUORATE_";

const fn row(
    name: &'static str,
    kind: Kind,
    [placeholder, range, default, meaning]: [&'static str; 4],
) -> Setting {
    Setting { name, kind, placeholder, range, default, meaning }
}

const ADDRESS: &str = "an address: unix:PATH or tcp:HOST:PORT";

/// All settings, in the order in which people need them.
pub const SETTINGS: &[Setting] = &[
    row(
        "id",
        Kind::Number,
        ["N", "a whole number from 0 to 65534", "1 without --peers", "this node's name in its cluster"],
    ),
    row("data", Kind::Text, ["DIR", "a directory", "none: has to be given", "where the node keeps its log"]),
    row(
        "client",
        Kind::List,
        ["ADDRESS", ADDRESS, "tcp:127.0.0.1:6379", "where clients connect; may be repeated"],
    ),
    row(
        "peer",
        Kind::List,
        [
            "ADDRESS",
            ADDRESS,
            "the own entry of --peers, else tcp:127.0.0.1:16379",
            "where the other nodes connect; may be repeated",
        ],
    ),
    row(
        "peers",
        Kind::List,
        [
            "ID=ADDRESS,...",
            "ID=ADDRESS for each of at most 64 nodes, each once, this one included",
            "this node alone",
            "all nodes of the cluster and where this node reaches them",
        ],
    ),
    row(
        "cluster",
        Kind::Text,
        [
            "NAME",
            "a text of 1 to 64 bytes",
            "quorate",
            "tells clusters apart that could reach each other; equal on all nodes",
        ],
    ),
    row(
        "bootstrap",
        Kind::Switch,
        [
            "",
            "true or false",
            "false",
            "format the directory if it holds no node yet: for a founder's first start",
        ],
    ),
    row(
        "join",
        Kind::Switch,
        [
            "",
            "true or false",
            "false",
            "wait, if the directory holds no node yet, to be taken into a cluster that runs",
        ],
    ),
    row(
        "election-timeout",
        Kind::Number,
        [
            "MS",
            "a whole number of milliseconds from 50 to 60000",
            "1000",
            "silence of the leader after which another is elected; equal on all nodes",
        ],
    ),
    row(
        "heartbeat",
        Kind::Number,
        [
            "MS",
            "a whole number of milliseconds from 1 to a third of election-timeout",
            "a tenth of election-timeout",
            "how often a leader without work shows that it lives",
        ],
    ),
    row(
        "snapshot-bytes",
        Kind::Size,
        [
            "N[k|m|g]",
            "a number of bytes from 64k to 1024g, with k, m or g for powers of 1024",
            "64m, or a quarter of the memory if that is less",
            "growth of the log after which a snapshot takes its place",
        ],
    ),
    row(
        "value-bytes-max",
        Kind::Size,
        [
            "N[k|m]",
            "a number of bytes from 65536 (64k) to 1048576 (1m), which this program was built for",
            "1m",
            "longest value that clients may store; equal on all nodes",
        ],
    ),
    row(
        "placement",
        Kind::Text,
        [
            "fused|split",
            "fused or split",
            "split",
            "the log on a thread of its own (split), or on the node's, for a core or less (fused)",
        ],
    ),
    row(
        "leases",
        Kind::Switch,
        [
            "",
            "true or false",
            "false",
            "answer reads by lease: fewer messages, but the clocks of all nodes must run at the same rate",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{REPLICAS_MAX, VALUE_BYTES_MAX};

    #[test]
    fn the_texts_tell_the_limits_of_this_build() {
        let range = |name| Setting::find(name).unwrap().range;
        assert!(range("value-bytes-max").contains(&format!("to {VALUE_BYTES_MAX} ")));
        assert!(range("peers").contains(&format!("at most {REPLICAS_MAX} nodes")));
    }

    #[test]
    fn variables_are_named_after_flags() {
        assert_eq!(Setting::find("election-timeout").unwrap().variable(), "QUORATE_ELECTION_TIMEOUT");
        assert!(Setting::find("members").is_none());
    }
}
