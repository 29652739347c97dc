//! Whom this replica has met: the life of each of the others, by its disk, remembered for ever (R18, D7).
//!
//! A replica whose disk was wiped has forgotten its vote and the entries that it confirmed. Were it still
//! counted under its old name, a majority could be found that knows nothing of what another majority has
//! acknowledged. So the first meeting decides: the number that was drawn when the other's disk was formatted
//! is written down, durably and before a word of it is heard, and another number under the same name is
//! refused from then on. The other side is told what is known of it, and so refuses as well: a wiped replica
//! neither speaks nor is spoken to.
//!
//! Not found out: a replica that is wiped before this one has ever met it, since there is nothing to compare
//! with. It takes a cluster of which a part was cut off from its very beginning.
//!
//! The way back for such a replica is a change of the membership: it is removed and added again, and is then
//! another member, under whatever name. So a life is remembered together with the entry that made its bearer
//! a member.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::identity::Incarnation;
use crate::raft::{Index, NodeId};
use crate::runtime;

/// The lives of the other replicas, and the file that holds them: a line for each, with its name, the entry
/// that made it a member, and its life.
#[derive(Debug)]
pub struct Acquaintances {
    file: PathBuf,
    lives: BTreeMap<NodeId, (Index, Incarnation)>,
}

impl Acquaintances {
    /// Reads the file; where there is none nobody has been met.
    ///
    /// # Errors
    ///
    /// `InvalidData` when the file does not hold what was written there, or whatever the operating system
    /// says.
    pub fn open(file: PathBuf) -> io::Result<Acquaintances> {
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let lives = text.lines().map(line).collect::<Option<BTreeMap<_, _>>>();
        let lives = lives.ok_or_else(|| {
            let what = format!("{} does not hold nodes and numbers", file.display());
            io::Error::new(ErrorKind::InvalidData, what)
        })?;
        Ok(Acquaintances { file, lives })
    }

    /// The life that this replica knows of another, which has been a member since that entry.
    pub(super) fn life_of(&self, id: NodeId, since: Index) -> Option<Incarnation> {
        self.lives.get(&id).filter(|(known, _)| *known == since).map(|(_, life)| *life)
    }

    /// A member since that entry has introduced itself. It may be heard when this returns without a refusal.
    pub(super) fn meet(&mut self, id: NodeId, since: Index, life: Incarnation) -> Result<(), String> {
        match self.life_of(id, since) {
            Some(known) if known == life => Ok(()),
            Some(_) => Err(wiped(id)),
            None => {
                let before = self.lives.insert(id, (since, life));
                self.write().map_err(|error| {
                    match before {
                        Some(before) => self.lives.insert(id, before),
                        None => self.lives.remove(&id),
                    };
                    format!("cannot write down node {} in {}: {error}", id.0, self.file.display())
                })
            }
        }
    }

    fn write(&self) -> io::Result<()> {
        let mut text = String::new();
        for (id, (since, life)) in &self.lives {
            writeln!(text, "{} {} {}", id.0, since.0, life.0).expect("a text takes everything");
        }
        runtime::write_file(&self.file, text.as_bytes())
    }
}

/// Why a replica is refused that is not the one that was known under its name.
pub(super) fn wiped(id: NodeId) -> String {
    format!(
        "node {} has come back with an empty disk; what it has confirmed is lost with the old one, so it is \
         not counted any more. Start it with its old data directory, or remove it and add it again \
         (RAFT.REMOVE, RAFT.ADD)",
        id.0
    )
}

fn line(text: &str) -> Option<(NodeId, (Index, Incarnation))> {
    let (id, rest) = text.split_once(' ')?;
    let (since, life) = rest.split_once(' ')?;
    Some((NodeId(id.parse().ok()?), (Index(since.parse().ok()?), Incarnation(life.parse().ok()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> PathBuf {
        let file = std::env::temp_dir().join(format!("quorate-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&file);
        file
    }

    const FOUNDED: Index = Index(0);

    #[test]
    fn the_first_meeting_decides_even_after_a_restart() {
        let file = file("acquaintances");
        let mut met = Acquaintances::open(file.clone()).unwrap();
        assert_eq!(met.meet(NodeId(2), FOUNDED, Incarnation(u64::MAX)), Ok(()));
        assert_eq!(met.meet(NodeId(3), FOUNDED, Incarnation(5)), Ok(()));
        let refused = met.meet(NodeId(2), FOUNDED, Incarnation(8));
        assert!(refused.unwrap_err().starts_with("node 2 has come back with"));
        let mut again = Acquaintances::open(file.clone()).unwrap();
        assert_eq!(again.life_of(NodeId(2), FOUNDED), Some(Incarnation(u64::MAX)));
        assert!(again.meet(NodeId(3), FOUNDED, Incarnation(6)).is_err());
        assert_eq!(again.meet(NodeId(3), FOUNDED, Incarnation(5)), Ok(()));
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn who_was_added_again_is_met_anew() {
        let file = file("added-again");
        let mut met = Acquaintances::open(file.clone()).unwrap();
        assert_eq!(met.meet(NodeId(2), FOUNDED, Incarnation(7)), Ok(()));
        assert_eq!(met.life_of(NodeId(2), Index(9)), None);
        assert_eq!(met.meet(NodeId(2), Index(9), Incarnation(8)), Ok(()));
        assert!(met.meet(NodeId(2), Index(9), Incarnation(7)).is_err());
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn who_cannot_be_written_down_is_not_met() {
        let mut met = Acquaintances::open("/nowhere/at/all/peers".into()).unwrap();
        let refused = met.meet(NodeId(2), FOUNDED, Incarnation(7));
        assert!(refused.unwrap_err().contains("/nowhere/at/all/peers"));
        assert_eq!(met.life_of(NodeId(2), FOUNDED), None);
    }

    #[test]
    fn garbage_in_the_file_is_not_taken_for_an_empty_one() {
        let file = file("strangers");
        for text in ["2", "2 7", "2 0 x", "2 0 7\n\n", "99999999 0 7", "2 0 7 8"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Acquaintances::open(file.clone()).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        fs::remove_file(file).unwrap();
    }
}
