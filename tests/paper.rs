//! The paper's Figure 2 and this project's rules R1 to R15, R18, R20 and R23, one small test each.
//!
//! A test drives one core through its public calls and plays all of its peers and its disk, so it says
//! exactly which message at which moment the rule is about. Each test is named for its rule and fails when
//! the rule is broken; that was tried, mutation by mutation.
//!
//! Missing, since the core has no such thing: the follower's side of R11 (room in the answer).

#[path = "paper/catch_up.rs"]
mod catch_up;
#[path = "paper/elections.rs"]
mod elections;
#[path = "paper/figure_two.rs"]
mod figure_two;
#[path = "paper/handover.rs"]
mod handover;
#[path = "paper/membership.rs"]
mod membership;
#[path = "paper/node.rs"]
mod node;
#[path = "paper/pace.rs"]
mod pace;
#[path = "paper/reads.rs"]
mod reads;
#[path = "paper/replication.rs"]
mod replication;
