//! Where the other replicas can be reached. What this node was told at its start counts more than what the
//! membership says, because it knows its own network; and a replica of which it has never heard says itself
//! where it is, so that it can be answered.

use std::collections::BTreeMap;

use crate::net::Address;
use crate::raft::NodeId;

/// Addresses by name.
#[derive(Debug, Default)]
pub(super) struct AddressBook {
    given: BTreeMap<NodeId, Address>,
    told: BTreeMap<NodeId, Address>,
}

/// Replicas whose own word is remembered. Members have addresses in the membership, as a rule.
const TOLD_MAX: usize = 32;

impl AddressBook {
    /// A book of the addresses that this node was given.
    pub(super) fn new(given: &[(NodeId, Address)]) -> AddressBook {
        AddressBook { given: given.iter().cloned().collect(), told: BTreeMap::new() }
    }

    /// A replica has said where it is.
    pub(super) fn tell(&mut self, id: NodeId, address: &str) {
        let has_room = self.told.len() < TOLD_MAX || self.told.contains_key(&id);
        if let (true, Ok(address)) = (has_room, address.parse()) {
            self.told.insert(id, address);
        }
    }

    /// Where to reach a replica of which the membership says `note`.
    pub(super) fn find(&self, id: NodeId, note: &str) -> Option<Address> {
        self.given.get(&id).cloned().or_else(|| note.parse().ok()).or_else(|| self.told.get(&id).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_counts_more_than_the_membership_and_that_more_than_hearsay() {
        let unix = |name: &str| Address::Unix(name.into());
        let mut book = AddressBook::new(&[(NodeId(1), unix("/given"))]);
        for id in [1, 2, 3] {
            book.tell(NodeId(id), "unix:/told");
        }
        assert_eq!(book.find(NodeId(1), "unix:/noted"), Some(unix("/given")));
        assert_eq!(book.find(NodeId(2), "unix:/noted"), Some(unix("/noted")));
        assert_eq!(book.find(NodeId(3), ""), Some(unix("/told")));
        assert_eq!(book.find(NodeId(4), "nowhere"), None);
    }
}
