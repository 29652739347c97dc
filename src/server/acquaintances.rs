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
//! There is no way back for such a replica but a change of the membership, which does not exist yet. Whoever
//! knows that all the others are up and hold everything can stop them and remove its line from the file of
//! each.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::identity::Incarnation;
use crate::raft::NodeId;
use crate::runtime;

/// The lives of the other replicas, and the file that holds them: a line for each, name and life.
#[derive(Debug)]
pub struct Acquaintances {
    file: PathBuf,
    lives: BTreeMap<NodeId, Incarnation>,
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

    /// The life that this replica knows of another.
    pub(super) fn life_of(&self, id: NodeId) -> Option<Incarnation> {
        self.lives.get(&id).copied()
    }

    /// Another replica has introduced itself. It may be heard when this returns without a refusal.
    pub(super) fn meet(&mut self, id: NodeId, life: Incarnation) -> Result<(), String> {
        match self.life_of(id) {
            Some(known) if known == life => Ok(()),
            Some(_) => Err(wiped(id)),
            None => {
                self.lives.insert(id, life);
                self.write().map_err(|error| {
                    self.lives.remove(&id);
                    format!("cannot write down node {} in {}: {error}", id.0, self.file.display())
                })
            }
        }
    }

    fn write(&self) -> io::Result<()> {
        let mut text = String::new();
        for (id, life) in &self.lives {
            writeln!(text, "{} {}", id.0, life.0).expect("a text takes everything");
        }
        runtime::write_file(&self.file, text.as_bytes())
    }
}

/// Why a replica is refused that is not the one that was known under its name.
pub(super) fn wiped(id: NodeId) -> String {
    format!(
        "node {} has come back with an empty disk; what it has confirmed is lost with the old one, so it is \
         not counted any more. Start it with its old data directory",
        id.0
    )
}

fn line(text: &str) -> Option<(NodeId, Incarnation)> {
    let (id, life) = text.split_once(' ')?;
    Some((NodeId(id.parse().ok()?), Incarnation(life.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> PathBuf {
        let file = std::env::temp_dir().join(format!("quorate-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&file);
        file
    }

    #[test]
    fn the_first_meeting_decides_even_after_a_restart() {
        let file = file("acquaintances");
        let mut met = Acquaintances::open(file.clone()).unwrap();
        assert_eq!(met.meet(NodeId(2), Incarnation(u64::MAX)), Ok(()));
        assert_eq!(met.meet(NodeId(3), Incarnation(5)), Ok(()));
        assert!(met.meet(NodeId(2), Incarnation(8)).unwrap_err().starts_with("node 2 has come back with"));
        let mut again = Acquaintances::open(file.clone()).unwrap();
        assert_eq!(again.life_of(NodeId(2)), Some(Incarnation(u64::MAX)));
        assert!(again.meet(NodeId(3), Incarnation(6)).is_err());
        assert_eq!(again.meet(NodeId(3), Incarnation(5)), Ok(()));
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn who_cannot_be_written_down_is_not_met() {
        let mut met = Acquaintances::open("/nowhere/at/all/peers".into()).unwrap();
        assert!(met.meet(NodeId(2), Incarnation(7)).unwrap_err().contains("/nowhere/at/all/peers"));
        assert_eq!(met.life_of(NodeId(2)), None);
    }

    #[test]
    fn garbage_in_the_file_is_not_taken_for_an_empty_one() {
        let file = file("strangers");
        for text in ["2", "2 x", "2 7\n\n", "99999999 7", "2 7 8"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Acquaintances::open(file.clone()).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        fs::remove_file(file).unwrap();
    }
}
