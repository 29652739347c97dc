//! Which simulator is this? Its command line and the working directory tell.
//!
//! Version 0.8 and the stream version run `3700kvstore ID OTHER-ID ...` and have created a socket file of
//! that name; the UDP versions run `3700kvstore PORT ID OTHER-ID ...`. A port may have four digits and so
//! look like an id: the file decides.

use std::path::{Path, PathBuf};

use super::envelope::parse_id;
use crate::limits::REPLICAS_MAX;
use crate::raft::NodeId;

/// What a simulator said on the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// This replica.
    pub id: NodeId,
    /// All replicas, this one included, in id order: they come in any.
    pub voters: Vec<NodeId>,
    /// Where the simulator listens, and how.
    pub dialect: Dialect,
}

/// The transport.
#[derive(Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A socket file: SOCK_SEQPACKET, or SOCK_STREAM where that is refused.
    File(PathBuf),
    /// A UDP port on localhost.
    Udp(u16),
}

impl Arguments {
    /// Reads the command line behind the program's name.
    ///
    /// # Errors
    ///
    /// One sentence that says what is wrong with it.
    pub fn parse(words: &[String], directory: &Path) -> Result<Arguments, String> {
        let first = words.first().ok_or("no replica id given")?;
        let file = directory.join(first);
        let is_id = parse_id(first).is_some();
        let (dialect, ids) = if is_id && file.exists() {
            (Dialect::File(file), words)
        } else if let Some(port) = first.parse().ok().filter(|port| *port > 0 && words.len() > 1) {
            (Dialect::Udp(port), &words[1..])
        } else if is_id {
            return Err(format!("no socket file {first} in {}", directory.display()));
        } else {
            return Err(format!("{first:?} is neither a UDP port nor a replica id of four hex digits"));
        };
        let id = id_of(&ids[0])?;
        let mut voters = ids.iter().map(id_of).collect::<Result<Vec<_>, _>>()?;
        voters.sort_unstable();
        if let Some(twice) = voters.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("replica id {:04X} is given twice", twice[0].0));
        }
        if voters.len() > REPLICAS_MAX {
            return Err(format!("{} replicas are more than {REPLICAS_MAX}", voters.len()));
        }
        Ok(Arguments { id, voters, dialect })
    }
}

fn id_of(word: &String) -> Result<NodeId, String> {
    parse_id(word)
        .flatten()
        .ok_or_else(|| format!("{word:?} is not a replica id of four hex digits below FFFF"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words, Path::new("/nonexistent"))
    }

    #[test]
    fn a_port_and_ids_in_any_order() {
        let arguments = parse("54321 0001 0002 0000").unwrap();
        assert_eq!(arguments.id, NodeId(1));
        assert_eq!(arguments.voters, [NodeId(0), NodeId(1), NodeId(2)]);
        assert_eq!(arguments.dialect, Dialect::Udp(54321));
    }

    #[test]
    fn a_file_wins_over_a_port_of_four_digits() {
        let directory = std::env::temp_dir().join(format!("quorate-arguments-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("0004"), "").unwrap();
        let words = ["0004".to_owned(), "0005".to_owned()];
        let arguments = Arguments::parse(&words, &directory);
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(arguments.unwrap().dialect, Dialect::File(directory.join("0004")));
    }

    #[test]
    fn every_mistake_is_named() {
        for (line, said) in [
            ("", "no replica id"),
            ("00G1", "neither"),
            ("54321", "neither"),
            ("5432", "no socket file"),
            ("54321 1", "four hex digits"),
            ("54321 FFFF", "below FFFF"),
            ("54321 0001 0001", "twice"),
            ("ABCD 0001", "no socket file"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(said), "{line:?}: {error}");
        }
    }
}
