//! A run from its seed to its verdict: trouble first, then quiet on a majority, in which everything must end.

use super::faults::Fault;
use super::ghost::{Checked, Violation, fail};
use super::planted::Planted;
use super::settings::ELECTION_TIMEOUT;
use super::sometimes::Sometimes;
use super::trace::{Lines, Trace};
use super::world::{Event, World};
use crate::disk::SimDisk;
use crate::raft::{NodeId, Span, Status, Term};

/// What is to be run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Order {
    /// Everything follows from it.
    pub seed: u64,
    /// So many nodes; else the seed draws that, too.
    pub nodes: Option<u16>,
    /// So many clients; else drawn.
    pub clients: Option<u64>,
    /// The clients ask for so many things in all; else for as many as they have time for.
    pub operations: Option<u64>,
    /// The trouble lasts for so many events; else for a time that is drawn.
    pub events: Option<u64>,
    /// Only these kinds of trouble; else drawn.
    pub faults: Option<Vec<Fault>>,
    /// Only these strikes of trouble, counted from 0; else all.
    pub strikes: Option<Vec<u64>>,
    /// A fault to be found.
    pub planted: Option<Planted>,
    /// Whether that fault is left out, and only what helps to find it is there.
    pub is_defused: bool,
    /// Where to keep the last lines of the trace.
    pub lines: Option<Lines>,
}

/// How large a run is: what there is in it to be left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Size {
    /// Nodes.
    pub nodes: u16,
    /// Clients.
    pub clients: u64,
    /// What these asked for.
    pub operations: u64,
    /// What happened.
    pub events: u64,
    /// Kinds of trouble.
    pub faults: Vec<Fault>,
    /// How often trouble has struck, counting what was left out.
    pub strikes: u64,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The broken promise, if there was one.
    pub violation: Option<Violation>,
    /// How large it was in the end.
    pub size: Size,
    /// Figures.
    pub summary: Summary,
    /// All that happened, in one number: equal for equal orders.
    pub trace: u64,
}

/// Figures of one run, or of several.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// How many runs.
    pub runs: u64,
    /// What happened in them.
    pub events: u64,
    /// How long they took, on their own clocks.
    pub time: Span,
    /// The longest way from the last fault to the end of everything.
    pub recovery_max: Span,
    /// Entries committed.
    pub committed: u64,
    /// Rare situations.
    pub sometimes: Sometimes,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.runs += other.runs;
        self.events += other.events;
        self.time = self.time + other.time;
        self.recovery_max = self.recovery_max.max(other.recovery_max);
        self.committed += other.committed;
        self.sometimes += other.sometimes;
    }
}

/// The trouble lasts up to so many election timeouts.
const TROUBLE: u64 = 40;

/// The core has so long to agree on a leader, and so long to have everything.
const LEADER_WITHIN: Span = ELECTION_TIMEOUT.times(10);
const DONE_WITHIN: Span = ELECTION_TIMEOUT.times(400);

/// After that, so long without any election.
const QUIET: Span = ELECTION_TIMEOUT.times(10);

/// Runs a seed.
///
/// # Panics
///
/// When a node finds itself in the wrong: the core's own assertions end it.
pub fn run(order: &Order) -> Outcome {
    let trace = Trace::new(order.lines.clone());
    let mut world = World::new(order, trace);
    let mut recovery = Span(0);
    let violation = play(&mut world, order, &mut recovery).err();
    let summary = Summary {
        runs: 1,
        events: world.events,
        time: Span(world.now.0),
        recovery_max: recovery,
        committed: world.ghost.committed(),
        sometimes: world.sometimes,
    };
    if let Some(violation) = &violation {
        world.say(|| format!("!! {violation}"));
    }
    Outcome { violation, size: world.size(), summary, trace: world.trace.hash() }
}

fn play(world: &mut World, order: &Order, recovery: &mut Span) -> Checked {
    let span = Span(ELECTION_TIMEOUT.0 + world.prng.below(ELECTION_TIMEOUT.times(TROUBLE).0));
    match order.events {
        Some(events) => {
            let far = world.now + Span(u64::MAX / 4);
            while world.events < events && world.step(far)? {}
        }
        None => pass(world, span)?,
    }
    let core = world.calm_down()?;
    let begun = world.now;
    pass(world, LEADER_WITHIN)?;
    if world.leader_of(&core).is_none() {
        return fail("L1", format!("core {core:?}: {:?}", world.statuses(&core)));
    }
    for client in 0..world.clients.len() {
        if world.clients[client].is_idle() {
            world.client_acts(client);
        }
    }
    let end = world.now + DONE_WITHIN;
    while !world.is_done(&core) {
        if !world.step(end)? {
            return world.explain_delay(&core);
        }
    }
    *recovery = world.now - begun;
    let core = world.members_among(&core);
    let leader = world.leader_of(&core);
    pass(world, QUIET.divided(2))?;
    world.watch_idleness(&core);
    pass(world, QUIET.divided(2))?;
    world.was_idle(QUIET.divided(2))?;
    if world.leader_of(&core) != leader {
        return fail("L4", format!("{leader:?} led, and then {:?}", world.statuses(&core)));
    }
    let is_decided = world.history.is_linearizable()?;
    world.sometimes.histories_checked += u64::from(is_decided);
    world.sometimes.histories_open += u64::from(!is_decided);
    Ok(())
}

fn pass(world: &mut World, span: Span) -> Checked {
    let end = world.now + span;
    while world.step(end)? {}
    Ok(())
}

impl World {
    /// No fault from here on among a majority that is drawn; the others are whole, down or cut off for good.
    /// Answers the majority.
    fn calm_down(&mut self) -> Result<Vec<usize>, Violation> {
        self.is_calm = true;
        self.settings.calm_down();
        self.heal();
        let mut core: Vec<usize> = (0..self.stations.len()).collect();
        let outside = self.prng.place(self.stations.len().div_ceil(2));
        // Of a majority of all nodes nobody knows whether it is one of those who are left.
        let outside = if self.settings.changes_members() { 0 } else { outside };
        let mut outsiders: Vec<usize> = core.extract_if(.., |at| self.is_doomed(*at)).collect();
        while outsiders.len() < outside {
            outsiders.push(core.remove(self.prng.place(core.len())));
        }
        self.say(|| format!("-- the faults stop; core {core:?}"));
        for at in &outsiders {
            self.leave_outside(*at)?;
        }
        for station in &mut self.stations {
            (station.is_filled, station.is_failing, station.is_slow) = (false, false, false);
            for disk in [&station.node.log_disk, &station.node.snapshot_disk] {
                disk.set_capacity(None);
                SimDisk::restart(disk);
            }
        }
        for at in &core {
            let life = self.stations[*at].life;
            self.enqueue(Span(0), Event::Resumes(*at, life));
            self.enqueue(Span(0), Event::Starts(*at));
        }
        Ok(core)
    }

    fn leave_outside(&mut self, at: usize) -> Checked {
        let fate = if self.is_doomed(at) { 0 } else { self.prng.below(4) };
        if fate == 0 {
            self.kill(at, None)?;
            // It stays down: nobody takes it out of this pause.
            self.stations[at].is_lost = true;
        }
        for other in (0..self.stations.len()).filter(|other| *other != at) {
            if matches!(fate, 1 | 2) {
                self.lines.cut.insert((other, at));
            }
            if matches!(fate, 1) {
                self.lines.cut.insert((at, other));
            }
        }
        Ok(())
    }

    /// Whom all of these follow, and in which term.
    fn leader_of(&self, core: &[usize]) -> Option<(Term, NodeId)> {
        let mut statuses = self.statuses(&self.members_among(core)).into_iter();
        let first = statuses.next()??;
        let is_shared = statuses.all(|status| {
            status.is_some_and(|status| (status.term, status.leader) == (first.term, first.leader))
        });
        first.leader.filter(|_| is_shared).map(|leader| (first.term, leader))
    }

    fn statuses(&self, core: &[usize]) -> Vec<Option<Status>> {
        let life = |at: &usize| self.stations[*at].node.life.as_ref();
        core.iter().map(|at| life(at).map(|life| life.replica.status())).collect()
    }

    fn are_equal(&self, core: &[usize]) -> bool {
        let committed = self.ghost.committed();
        let members = self.members_among(core);
        let statuses = self.statuses(&members);
        !self.is_changing(&members)
            && statuses.into_iter().all(|status| {
                status.is_some_and(|status| status.last.index.0 == committed && status.applied.0 == committed)
            })
    }

    fn is_done(&self, core: &[usize]) -> bool {
        self.clients.iter().all(super::clients::Client::is_idle) && self.are_equal(core)
    }

    fn explain_delay(&self, core: &[usize]) -> Checked {
        let (is_changing, committed) = (self.is_changing(&self.members_among(core)), self.ghost.committed());
        let id = if self.are_equal(core) {
            "L3"
        } else if is_changing {
            "L6"
        } else {
            "L2"
        };
        fail(id, format!("core {core:?}, {committed} committed: {:?}", self.statuses(core)))
    }
}
