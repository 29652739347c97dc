//! Who is who (R18): the names that keep two clusters, and two lives of one replica, apart.

use serde::{Deserialize, Serialize};

/// A cluster's name: a number drawn or derived when it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClusterId(pub u64);

/// A random name for one life of a replica's disk: a wiped disk under an old name is another replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Incarnation(pub u64);
