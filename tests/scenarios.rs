//! Scenarios: the situations in which other Raft implementations have failed, each forced by name.
//!
//! A scenario runs some seeds of the simulator with only the trouble that it is about, wants every promise
//! kept, and wants the situation to have come about. Where a planted fault stands for the bug itself, it must
//! be found as well. The table in `docs/simulator.md` says which scenario is about which known bug, and names
//! the tests that stand for the others.

use std::panic::{self, AssertUnwindSafe};

use quorate::sim::{Fault, Order, Planted, Sometimes, run};

/// Seeds of each scenario.
const SEEDS: u64 = 16;

/// Runs a scenario; answers what was met in it.
fn play(nodes: u16, faults: &[Fault]) -> Sometimes {
    let mut met = Sometimes::default();
    for seed in 0..SEEDS {
        let order = Order { seed, nodes: Some(nodes), faults: Some(faults.to_vec()), ..Order::default() };
        let outcome = run(&order);
        assert_eq!(outcome.violation, None, "seed {seed}, {nodes} nodes, {faults:?}");
        met += outcome.summary.sometimes;
    }
    met
}

/// A planted fault is found within so many seeds.
fn is_found(planted: Planted, seeds: u64) {
    let found = (0..seeds).any(|seed| {
        let order = Order { seed, planted: Some(planted), ..Order::default() };
        panic::catch_unwind(AssertUnwindSafe(|| run(&order))).map_or(true, |it| it.violation.is_some())
    });
    assert!(found, "{} is not found in {seeds} seeds", planted.name());
}

#[test]
fn late_answers_of_an_earlier_round_confirm_no_read() {
    let met = play(3, &[Fault::Isolate, Fault::Late]);
    assert!(met.answers > 0 && met.stepped_down > 0);
    is_found(Planted::ReadAtOnce, 60);
}

#[test]
fn what_a_deposed_leader_says_changes_nothing() {
    let met = play(5, &[Fault::Isolate, Fault::Pause, Fault::Late, Fault::HandOver]);
    assert!(met.stepped_down > 0 && met.logs_cut > 0);
    is_found(Planted::BelieveDeposed, 60);
}

#[test]
fn a_snapshot_over_a_conflicting_tail_is_installed_once() {
    let met = play(3, &[Fault::Isolate, Fault::Crash]);
    assert!(met.snapshots_received > 0 && met.tails_dropped > 0, "{met:?}");
    is_found(Planted::SkipMark, 60);
}

#[test]
fn a_commit_is_on_a_majority_of_disks() {
    let met = play(5, &[Fault::Crash, Fault::CrashAll, Fault::Stall]);
    assert!(met.commits_before_own_disk > 0);
    is_found(Planted::BlessLaterWrites, 60);
}

#[test]
fn the_longest_log_and_the_newest_term_on_different_nodes_do_not_lock_up() {
    let met = play(5, &[Fault::Split, Fault::Isolate, Fault::Crash, Fault::HandOver]);
    assert!(met.pre_votes_refused > 0 && met.votes_refused > 0);
}

#[test]
fn a_leader_that_reaches_only_a_bridge_gives_way() {
    let met = play(5, &[Fault::Bridge, Fault::Flap]);
    assert!(met.stepped_down > 0 && met.cuts > 0);
}

#[test]
fn a_follower_acknowledges_only_what_was_compared() {
    let met = play(3, &[Fault::Isolate, Fault::Lose, Fault::Double, Fault::Late]);
    assert!(met.appends_refused > 0 && met.messages_doubled > 0);
    is_found(Planted::MatchOwnTail, 60);
}

#[test]
fn a_late_heartbeat_commits_nothing_that_is_not_there() {
    let met = play(3, &[Fault::Late, Fault::Double, Fault::Clog]);
    assert!(met.messages_doubled > 0);
    is_found(Planted::CommitBeyondMatch, 60);
}

#[test]
fn a_leader_whose_disk_stalls_gives_way() {
    let met = play(3, &[Fault::Stall, Fault::Slow]);
    assert!(met.stalls > 0 && met.stepped_down > 0);
}

#[test]
fn a_follower_that_recovers_disturbs_nobody() {
    let met = play(3, &[Fault::Crash, Fault::BreakRecovery, Fault::Slow]);
    assert!(met.broken_recoveries > 0 && met.entries_read_back > 0);
}

#[test]
fn a_full_disk_is_waited_out() {
    let met = play(3, &[Fault::FillDisk, Fault::Crash]);
    assert!(met.full_disks > 0);
    is_found(Planted::SwallowFull, 60);
}

#[test]
fn a_log_that_is_cut_in_the_middle_of_a_crash_has_no_hole() {
    let met = play(5, &[Fault::Split, Fault::Isolate, Fault::Crash, Fault::HandOver, Fault::Stall]);
    assert!(met.logs_cut > 0 && met.torn_steps > 0);
    is_found(Planted::LoseWrite, 60);
}

#[test]
fn nothing_is_acknowledged_before_it_is_synced() {
    let met = play(3, &[Fault::CrashAll, Fault::Crash]);
    assert!(met.power_cuts > 0 && met.torn_steps > 0);
    is_found(Planted::AcknowledgeBeforeSync, 60);
}

#[test]
fn a_lone_voter_waits_for_its_own_disk() {
    let met = play(1, &[Fault::Crash, Fault::CrashAll]);
    assert!(met.power_cuts > 0 && met.answers > 0);
    is_found(Planted::ReceiptBeforeSync, 60);
}

#[test]
fn a_tail_that_is_torn_again_and_again_loses_nothing() {
    let met = play(3, &[Fault::Crash, Fault::BreakRecovery, Fault::FailDisk, Fault::FillDisk]);
    assert!(met.torn_tails > 0 && met.broken_recoveries > 0);
    is_found(Planted::SkipSyncInRecovery, 60);
}

#[test]
fn a_wiped_disk_under_an_old_name_is_noticed() {
    is_found(Planted::WipeDisk, 60);
}

#[test]
fn rot_is_found_and_its_node_stays_down() {
    let met = play(5, &[Fault::Rot, Fault::Crash]);
    assert!(met.rot_found > 0 && met.nodes_lost_to_rot > 0);
}
