//! The cluster, and everything around it that can go wrong.
//!
//! Time is a number. Whatever is to happen stands in one queue by its moment: messages, the ends of the
//! disks' steps, turns of nodes, clients, faults. One generator draws all that is drawn, so a seed is a run.
//! Each node collects what arrives until its turn, as its event loop does, and every turn is shown to the
//! ghost before anything of it takes effect.

use std::collections::BTreeMap;

use super::clients::{Attempt, Client, Heard};
use super::faults::Fault;
use super::ghost::{Checked, Ghost, Turn, fail};
use super::history::History;
use super::network::{self, Line, Lines, Packet};
use super::node::{Make, Node};
use super::planted::Planted;
use super::rot::Bit;
use super::run::{Order, Size};
use super::settings::{ELECTION_TIMEOUT, Settings, up_to};
use super::sometimes::Sometimes;
use super::telling;
use super::trace::{self, Trace};
use crate::disk::{Neglect, SimDisk};
use crate::identity::{ClusterId, Incarnation};
use crate::keepers::{LogReport, SnapshotReport};
use crate::kv::WallClock;
use crate::limits::SNAPSHOTS_KEPT;
use crate::prng::Prng;
use crate::raft::{Beat, Config, Instant, NodeId, Receipt, Span, Status};
use crate::replica::{Now, Ticket};
use crate::wal::Identity;

/// What stands in the queue.
pub(super) enum Event {
    /// A frame reaches a node; whether it was damaged on the way.
    Arrives(Line, Vec<u8>, bool),
    /// A node may have something to do, if nothing woke it since.
    Wakes(usize, u64),
    /// The step of a life's log, or of its snapshots, is over.
    LogDone(usize, u64),
    SnapshotDone(usize, u64),
    ClientActs(usize),
    ClientAsks(usize, Attempt),
    ClientGivesUp(Attempt),
    ClientHears(Attempt, Heard),
    FaultStrikes,
    Flaps(Line, Span, u32),
    /// A frame of another cluster reaches a node.
    Strays(Line, Vec<u8>),
    Resumes(usize, u64),
    Quickens(usize),
    DiskHasRoom(usize),
    Starts(usize),
}

/// What a node finds when its turn comes, in the order in which it takes it.
pub(super) enum Input {
    Log(LogReport),
    Snapshot(SnapshotReport),
    Reconnected(usize),
    Packet(usize, Packet),
    Client(Attempt),
}

impl Input {
    fn order(&self) -> u8 {
        match self {
            Input::Log(_) => 0,
            Input::Snapshot(_) => 1,
            Input::Reconnected(_) => 2,
            Input::Packet(..) => 3,
            Input::Client(_) => 4,
        }
    }
}

/// A machine: a node, its clocks, and what waits for its turn.
pub(super) struct Station {
    pub(super) node: Node,
    /// The number of its process.
    pub(super) life: u64,
    started: Instant,
    rate: u64,
    /// How far its wall clock is ahead, in milliseconds.
    pub(super) wall: u64,
    pub(super) inbox: Vec<Input>,
    turn_at: Option<Instant>,
    wake: u64,
    pub(super) is_paused: bool,
    /// Everything it does takes long.
    pub(super) is_slow: bool,
    /// The bit of its disks that has flipped for good; it may not have found that yet.
    pub(super) flipped: Option<Bit>,
    pub(super) is_filled: bool,
    /// An operation of its disks will fail.
    pub(super) is_failing: bool,
    /// How many snapshots its process has found at its start.
    snapshots_found: usize,
    /// It never starts again.
    pub(super) is_lost: bool,
    pub(super) log_is_busy: bool,
    pub(super) snapshots_are_busy: bool,
    /// What came to an end while it was paused.
    deferred: Vec<Event>,
    pub(super) tickets: BTreeMap<Ticket, Waiting>,
    pub(super) last_ticket: u64,
    /// For planted faults: the log's disk as it was some time ago, the last receipt, that of another life.
    pub(super) old_log: Option<SimDisk>,
    pub(super) last_receipt: Option<Receipt>,
    pub(super) old_receipt: Option<Receipt>,
    /// Also for these: the newest write, and how long the clock has stood still, and since when it does.
    pub(super) last_write: Option<Receipt>,
    frozen: Span,
    pub(super) paused_at: Instant,
    /// How many snapshots it has received since the trouble was over.
    pub(super) snapshots_in_calm: u64,
}

/// Who waits for an answer.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) attempt: Attempt,
    /// A read that was given to the own replica.
    pub(super) is_own_read: bool,
}

/// What nodes do when there is nothing to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Idleness {
    pub(super) core: Vec<usize>,
    pub(super) messages: u64,
    pub(super) writes: u64,
}

/// A run.
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) planted: Option<Planted>,
    pub(super) prng: Prng,
    pub(super) now: Instant,
    queue: BTreeMap<(Instant, u64), Event>,
    queued: u64,
    pub(super) stations: Vec<Station>,
    pub(super) lines: Lines,
    pub(super) clients: Vec<Client>,
    pub(super) last_request: u64,
    /// Requests that were sent on: by whom and under which name.
    pub(super) asked: BTreeMap<(usize, Ticket), Attempt>,
    pub(super) ghost: Ghost,
    pub(super) operations_max: Option<u64>,
    /// The kinds of trouble that there were at the beginning.
    faults: Vec<Fault>,
    /// How often trouble has struck, which of these are wanted, and from where each draws.
    pub(super) strikes: u64,
    pub(super) wanted_strikes: Option<Vec<u64>>,
    pub(super) prng_of_strikes: u64,
    pub(super) is_calm: bool,
    pub(super) events: u64,
    pub(super) sometimes: Sometimes,
    pub(super) trace: Trace,
    /// For a planted fault: the newest beat of each leader to each follower.
    pub(super) newest_beats: BTreeMap<Line, Beat>,
    pub(super) idleness: Option<Idleness>,
    /// What clients asked and were told, for the check of the whole.
    pub(super) history: History,
    /// For the trace: what was last said of a node.
    shown: BTreeMap<usize, Status>,
}

/// A turn of a slow node may begin so much later, and the steps of its disks take so much longer.
const SLOW_TURN: Span = ELECTION_TIMEOUT.divided(2);
const SLOW_DISK: u64 = 30;

/// The ghost and a real disk are compared once in so many events.
const SWEEP: u64 = 400;

const CLUSTER: ClusterId = ClusterId(0x51ed);

/// Others, whose frames come in by mistake.
pub(super) const STRANGERS: ClusterId = ClusterId(0x0ddba11);

impl World {
    pub(super) fn new(order: &Order, trace: Trace) -> World {
        let mut prng = Prng::new(order.seed);
        let settings = Settings::draw(&mut prng, order);
        let (prng_of_strikes, faults) = (prng.next_u64(), settings.faults());
        let stations = (0..settings.nodes).map(|id| Station::new(&settings, id, &mut prng)).collect();
        let clients = (0..settings.clients.count).map(|_| Client::default()).collect();
        let mut world = World {
            ghost: Ghost::new(usize::from(settings.nodes), &settings.config.voters),
            settings,
            planted: order.planted.filter(|_| !order.is_defused),
            prng,
            now: Instant(0),
            queue: BTreeMap::new(),
            queued: 0,
            stations,
            lines: Lines::default(),
            clients,
            last_request: 0,
            asked: BTreeMap::new(),
            operations_max: order.operations,
            faults,
            strikes: 0,
            wanted_strikes: order.strikes.clone(),
            prng_of_strikes,
            is_calm: false,
            events: 0,
            sometimes: Sometimes::default(),
            trace,
            newest_beats: BTreeMap::new(),
            idleness: None,
            history: History::default(),
            shown: BTreeMap::new(),
        };
        world.say(|| format!("{:#?}", world.settings).replace("\n", "\n               "));
        for at in 0..world.stations.len() {
            let node = &world.stations[at].node;
            node.log_disk.neglect(neglect_of_log(world.planted));
            node.snapshot_disk.neglect(neglect_of_snapshots(world.planted));
            world.stations[at].node.format().expect("an empty disk takes a log");
            world.enqueue(Span(0), Event::Starts(at));
        }
        for client in 0..world.clients.len() {
            world.enqueue(Span(0), Event::ClientActs(client));
        }
        world.enqueue(Span(0), Event::FaultStrikes);
        world
    }

    /// Lets the next thing happen, if it happens before `end`. Answers whether it did.
    pub(super) fn step(&mut self, end: Instant) -> Result<bool, super::Violation> {
        let Some(next) = self.queue.first_entry().filter(|next| next.key().0 <= end) else {
            self.now = self.now.max(end);
            return Ok(false);
        };
        let ((at, number), event) = next.remove_entry();
        self.now = at;
        self.events += 1;
        self.trace.note(&[at.0, number]);
        if self.trace.is_read() {
            self.trace.measure(self.size());
        }
        self.happens(event)?;
        if self.events.is_multiple_of(SWEEP) {
            self.sweep()?;
        }
        Ok(true)
    }

    fn happens(&mut self, event: Event) -> Checked {
        match event {
            Event::Arrives(line, bytes, is_damaged) => return self.arrives(line, &bytes, is_damaged),
            Event::Wakes(at, wake) => return self.wakes(at, wake),
            Event::LogDone(at, life) => return self.log_done(at, life),
            Event::SnapshotDone(at, life) => return self.snapshot_done(at, life),
            Event::ClientActs(client) if !self.is_calm => self.client_acts(client),
            Event::ClientAsks(node, attempt) => self.input(node, Input::Client(attempt)),
            Event::ClientGivesUp(attempt) => return self.client_gives_up(attempt),
            Event::ClientHears(attempt, heard) => return self.client_hears(attempt, &heard),
            Event::FaultStrikes if !self.is_calm => {
                self.fault_strikes()?;
                let gap = Span(self.prng.below(self.settings.fault_gap.0));
                self.enqueue(gap, Event::FaultStrikes);
            }
            Event::Flaps(line, period, left) => self.flaps(line, period, left),
            Event::Strays(line, bytes) => return self.strays(line, &bytes),
            Event::Resumes(at, life) => self.resumes(at, life),
            Event::Quickens(at) => self.stations[at].is_slow = false,
            Event::DiskHasRoom(at) => self.disk_has_room(at),
            Event::Starts(at) => return self.starts(at),
            Event::ClientActs(_) | Event::FaultStrikes => {}
        }
        Ok(())
    }

    pub(super) fn enqueue(&mut self, delay: Span, event: Event) {
        self.enqueue_at(self.now + delay, event);
    }

    fn enqueue_at(&mut self, at: Instant, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }

    pub(super) fn say(&self, line: impl FnOnce() -> String) {
        self.trace.say(self.now, line);
    }

    pub(super) fn size(&self) -> Size {
        Size {
            nodes: self.settings.nodes,
            clients: self.settings.clients.count,
            operations: self.last_request,
            events: self.events,
            faults: self.faults.clone(),
            strikes: self.strikes,
        }
    }

    pub(super) fn leads(&self, at: usize) -> bool {
        let station = &self.stations[at];
        let leader = station.node.life.as_ref().and_then(|life| life.replica.status().leader);
        leader == Some(NodeId(station.id()))
    }

    /// The present, as a node's clocks show it.
    pub(super) fn local(&self, at: usize) -> Now {
        let station = &self.stations[at];
        let elapsed = self.now - (station.started + station.frozen);
        let wall = 1_700_000_000_000 + station.wall + self.now.0 / 1_000;
        Now { monotonic: Instant(elapsed.0 * station.rate / 1_000), wall: WallClock(wall) }
    }

    /// Something waits for a node's turn.
    pub(super) fn input(&mut self, at: usize, input: Input) {
        if self.stations[at].node.life.is_none() {
            return;
        }
        self.stations[at].inbox.push(input);
        self.wake_soon(at);
    }

    pub(super) fn wake_soon(&mut self, at: usize) {
        if self.stations[at].turn_at.is_none() {
            let lag = if self.stations[at].is_slow { SLOW_TURN } else { Span(0) };
            let moment = self.now + up_to(&mut self.prng, self.settings.turn + lag);
            self.stations[at].turn_at = Some(moment);
            self.wake_at(at, moment);
        }
    }

    fn wake_at(&mut self, at: usize, moment: Instant) {
        self.stations[at].wake += 1;
        let wake = self.stations[at].wake;
        self.enqueue_at(moment, Event::Wakes(at, wake));
    }

    fn arrives(&mut self, (from, to): Line, bytes: &[u8], is_damaged: bool) -> Checked {
        match network::decode(CLUSTER, bytes) {
            Some(_) if is_damaged => fail("S24", format!("node {to} believes a damaged frame of {from}")),
            Some(packet) => {
                self.input(to, Input::Packet(from, packet));
                Ok(())
            }
            None if is_damaged => {
                let is_read = self.planted == Some(Planted::BelieveDamaged) && network::can_be_read(bytes);
                if is_read {
                    return fail("S24", format!("node {to} takes a damaged frame of {from}"));
                }
                self.sometimes.messages_damaged += 1;
                Ok(())
            }
            None => fail("S24", format!("node {to} cannot read a frame of {from}")),
        }
    }

    fn strays(&mut self, (from, to): Line, bytes: &[u8]) -> Checked {
        let is_careless = self.planted == Some(Planted::BelieveOtherCluster);
        match network::decode(if is_careless { STRANGERS } else { CLUSTER }, bytes) {
            Some(_) => fail("S24", format!("node {to} believes a node {from} of another cluster")),
            None => Ok(()),
        }
    }

    fn wakes(&mut self, at: usize, wake: u64) -> Checked {
        let station = &mut self.stations[at];
        if station.wake != wake || station.node.life.is_none() || station.is_paused {
            return Ok(());
        }
        station.turn_at = None;
        let mut inputs = std::mem::take(&mut station.inbox);
        inputs.sort_by_key(Input::order);
        let now = self.local(at);
        for input in inputs {
            self.take(at, now, input)?;
        }
        self.flush(at, now)?;
        self.work(at);
        self.sleep(at);
        self.is_at_rest(at, now)
    }

    /// B6: a turn that leaves a deadline behind that has passed makes a loop that eats a processor.
    fn is_at_rest(&self, at: usize, now: Now) -> Checked {
        let Some(life) = self.stations[at].node.life.as_ref().filter(|life| !life.is_choked()) else {
            return Ok(());
        };
        let deadline = life.replica.deadline();
        if deadline > now.monotonic {
            return Ok(());
        }
        fail("B6", format!("node {at} has a turn at {:?} and wants the next at {deadline:?}", now.monotonic))
    }

    /// The end of a turn: everything that it has come to, first seen by the ghost.
    fn flush(&mut self, at: usize, now: Now) -> Checked {
        let Station { node, life: number, .. } = &mut self.stations[at];
        let Some(life) = &mut node.life else { return Ok(()) };
        let is_choked = life.is_choked();
        let mut output = life.flush(now);
        let status = life.replica.status();
        let digest = life.replica.store().digest();
        if !is_choked {
            let (membership, _) = life.replica.members();
            let (id, life) = (node.make.config.id, *number);
            let turn = Turn { at, id, life, status, membership, write: output.write.as_ref(), digest };
            let seen = self.ghost.turn(&turn)?;
            self.sometimes.note_members(&seen);
            self.sometimes.elections += u64::from(seen.was_elected);
            self.sometimes.stepped_down += u64::from(seen.stepped_down);
            self.note_idle_write(at, output.write.as_ref());
            if seen.stepped_down {
                self.steps_down(at);
            }
            self.sometimes.logs_cut += u64::from(seen.was_cut);
            self.sometimes.logs_cut_during_a_write += u64::from(seen.was_cut_during_a_write);
            self.sometimes.commits_before_own_disk += u64::from(seen.committed_before_own_disk);
            self.trace.note(&[at as u64, status.term.0, status.last.index.0, status.commit.0, digest]);
            if self.shown.get(&at) != Some(&status) {
                self.say(|| format!("node {at}: {}", telling::status(&status)));
                if self.trace.is_read() {
                    self.shown.insert(at, status);
                }
            }
        }
        self.sabotage(at, &mut output);
        for reply in std::mem::take(&mut output.replies) {
            self.reply(at, status.applied, reply)?;
        }
        for envelope in std::mem::take(&mut output.peers) {
            self.send_raft(at, envelope)?;
        }
        if let Some(life) = &mut self.stations[at].node.life {
            life.hand_out(&mut output);
        }
        self.misplace(at);
        if is_choked { Ok(()) } else { self.is_bounded(at, &status) }
    }

    /// A node waits for its next deadline, or for less.
    fn sleep(&mut self, at: usize) {
        let station = &self.stations[at];
        let Some(life) = &station.node.life else { return };
        if life.is_choked() || self.planted == Some(Planted::SleepThrough) {
            return;
        }
        let deadline = life.replica.deadline();
        let moment = station.started
            + station.frozen
            + Span((deadline.0.saturating_mul(1_000)).div_ceil(station.rate));
        self.wake_at(at, moment.max(self.now + Span(1)));
    }

    /// Lets the other two threads of a node begin what they have to do.
    fn work(&mut self, at: usize) {
        let station = &mut self.stations[at];
        let (number, mut disk) = (station.life, self.settings.disk.clone());
        if station.is_slow {
            (disk.sync, disk.step) = (disk.sync.times(SLOW_DISK), disk.step.times(SLOW_DISK));
        }
        let Some(life) = &mut station.node.life else { return };
        if station.is_paused {
            return;
        }
        let begins_log = !station.log_is_busy && life.has_log_work();
        if begins_log {
            station.log_is_busy = true;
            // A full disk is tried again after a pause.
            let pause = if life.log_mail.is_empty() { life.log.pause() } else { Span(0) };
            life.begin_log_work();
            let mut span = up_to(&mut self.prng, if life.log.has_writes() { disk.sync } else { disk.step });
            if pause > Span(0) {
                span = pause;
            } else if life.log.has_writes() && self.prng.chance(disk.stalls) {
                self.sometimes.stalls += 1;
                span = up_to(&mut self.prng, ELECTION_TIMEOUT.times(8));
            }
            self.enqueue(span, Event::LogDone(at, number));
        }
        let station = &mut self.stations[at];
        let Some(life) = &mut station.node.life else { return };
        if !station.snapshots_are_busy && !life.snapshot_mail.is_empty() {
            station.snapshots_are_busy = true;
            let span = up_to(&mut self.prng, disk.sync + disk.step);
            self.enqueue(span, Event::SnapshotDone(at, number));
        }
    }

    fn log_done(&mut self, at: usize, life: u64) -> Checked {
        let station = &mut self.stations[at];
        let Some(alive) = station.node.life.as_mut().filter(|_| station.life == life) else { return Ok(()) };
        if station.is_paused {
            station.deferred.push(Event::LogDone(at, life));
            return Ok(());
        }
        station.log_is_busy = false;
        if self.planted == Some(Planted::LyingDisk) && self.events.is_multiple_of(50) {
            station.old_log = Some(station.node.log_disk.fork());
        }
        let reports = match alive.work_on_log() {
            Ok(reports) => reports,
            Err(failure) => return self.gives_up_disk(at, &failure.to_string()),
        };
        for mut report in reports {
            match &mut report {
                LogReport::Written { receipt, .. } => {
                    self.stations[at].last_receipt = Some(*receipt);
                    self.ghost.durable(at, *receipt)?;
                    if self.planted == Some(Planted::BlessLaterWrites) {
                        *receipt = self.stations[at].last_write.unwrap_or(*receipt);
                    }
                }
                LogReport::Read(_, _, Some(_)) => self.sometimes.entries_read_back += 1,
                LogReport::Full => self.sometimes.full_disks += 1,
                LogReport::Read(..) | LogReport::Room => {}
            }
            self.input(at, Input::Log(report));
        }
        self.work(at);
        Ok(())
    }

    fn snapshot_done(&mut self, at: usize, life: u64) -> Checked {
        let station = &mut self.stations[at];
        let Some(alive) = station.node.life.as_mut().filter(|_| station.life == life) else { return Ok(()) };
        if station.is_paused {
            station.deferred.push(Event::SnapshotDone(at, life));
            return Ok(());
        }
        station.snapshots_are_busy = false;
        let report = match alive.work_on_snapshots() {
            Ok(report) => report,
            Err(failure) => return self.gives_up_disk(at, &failure.to_string()),
        };
        let (kept, sending) = (alive.snapshots.ids().count(), alive.snapshots.sending());
        // What a crash left, and what was sent until now, is removed when the next one has come.
        if kept > SNAPSHOTS_KEPT.max(station.snapshots_found) + usize::from(self.settings.nodes) {
            return fail("B3", format!("node {at} keeps {kept} snapshots and sends {sending}"));
        }
        if let Some(report) = report {
            self.note_snapshot(at, &report)?;
            self.input(at, Input::Snapshot(report));
        }
        self.work(at);
        Ok(())
    }

    fn note_snapshot(&mut self, at: usize, report: &SnapshotReport) -> Checked {
        let id = NodeId(self.stations[at].id());
        match report {
            SnapshotReport::Taken(snapshot, _) => {
                self.sometimes.snapshots_taken += 1;
                self.say(|| format!("node {at} has taken a snapshot up to {:?}", snapshot.last));
                self.ghost.has_snapshot(at, id, *snapshot)
            }
            SnapshotReport::Received(snapshot, _) => {
                self.sometimes.snapshots_received += 1;
                self.needs_few_snapshots(at)?;
                self.say(|| format!("node {at} has received a snapshot up to {:?}", snapshot.last));
                self.ghost.has_snapshot(at, id, *snapshot)
            }
            SnapshotReport::Stored(..) => {
                self.sometimes.parts_resumed += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A failed disk ends the process, as exit code 74 does; somebody starts it again.
    fn gives_up_disk(&mut self, at: usize, failure: &str) -> Checked {
        self.say(|| format!("node {at} ends: {failure}"));
        self.sometimes.disk_failures += 1;
        self.end_process(at)?;
        let station = &mut self.stations[at];
        station.is_failing = false;
        station.node.log_disk.restart();
        station.node.snapshot_disk.restart();
        let down = up_to(&mut self.prng, ELECTION_TIMEOUT.times(4));
        self.enqueue(down, Event::Starts(at));
        Ok(())
    }

    /// Whatever a process had in memory is gone.
    pub(super) fn end_process(&mut self, at: usize) -> Checked {
        let station = &mut self.stations[at];
        station.node.life = None;
        station.inbox.clear();
        station.deferred.clear();
        station.tickets.clear();
        station.turn_at = None;
        (station.is_paused, station.log_is_busy, station.snapshots_are_busy) = (false, false, false);
        let id = NodeId(station.id());
        self.say(|| format!("node {at} is down"));
        self.ghost.crashes(at, id)
    }

    fn resumes(&mut self, at: usize, life: u64) {
        let station = &mut self.stations[at];
        if station.life != life || !station.is_paused {
            return;
        }
        station.is_paused = false;
        if self.planted == Some(Planted::ClockStopsInPause) {
            station.frozen = station.frozen + (self.now - station.paused_at);
        }
        for event in std::mem::take(&mut station.deferred) {
            self.enqueue(Span(0), event);
        }
        self.stations[at].turn_at = None;
        self.wake_soon(at);
        self.work(at);
    }

    fn disk_has_room(&mut self, at: usize) {
        let station = &mut self.stations[at];
        station.is_filled = false;
        station.node.log_disk.set_capacity(None);
        station.node.snapshot_disk.set_capacity(None);
    }

    /// A process starts: recovery, sometimes cut short, and then a new life.
    fn starts(&mut self, at: usize) -> Checked {
        if self.stations[at].node.life.is_some() || self.stations[at].is_lost {
            return Ok(());
        }
        let is_broken = self.prng.chance(self.settings.broken_recoveries);
        if is_broken {
            let is_log = self.prng.chance(700);
            let node = &self.stations[at].node;
            let disk = if is_log { &node.log_disk } else { &node.snapshot_disk };
            disk.stop_at(disk.operations() + 1 + self.prng.below(if is_log { 16 } else { 8 }));
        }
        let skips_sync = self.planted == Some(Planted::SkipSyncInRecovery);
        let node = &self.stations[at].node;
        node.log_disk.neglect(skips_sync.then_some(Neglect::Syncs).or(neglect_of_log(self.planted)));
        let opened = node.open();
        node.log_disk.neglect(neglect_of_log(self.planted));
        let storage = match opened {
            Ok(storage) => storage,
            Err(_) if is_broken => {
                self.sometimes.broken_recoveries += 1;
                let power = self.prng.chance(700).then(|| self.prng.next_u64());
                return self.kill(at, power.map(crate::disk::Survival::Random));
            }
            Err(error) if self.stations[at].is_failing => return self.gives_up_disk(at, &error.to_string()),
            Err(_) if self.stations[at].is_filled => {
                let wait = up_to(&mut self.prng, ELECTION_TIMEOUT.times(2));
                self.enqueue(wait, Event::Starts(at));
                return Ok(());
            }
            Err(error) if self.stations[at].is_rotten() => {
                self.say(|| format!("node {at} stays down: {error}"));
                self.sometimes.nodes_lost_to_rot += 1;
                self.stations[at].is_lost = true;
                return Ok(());
            }
            Err(error) => return fail("D4", format!("node {at} cannot start: {error}")),
        };
        self.sometimes.torn_tails += u64::from(storage.findings.cut.is_some());
        self.sometimes.joined_at_start += u64::from(storage.recovered.snapshot.is_some());
        self.lives(at, storage)
    }

    fn lives(&mut self, at: usize, mut storage: crate::storage::Storage<SimDisk>) -> Checked {
        let seed = self.prng.next_u64();
        self.stations[at].life += 1;
        let id = NodeId(self.stations[at].id());
        // A read that fails makes a whole snapshot pass for a damaged one; the older one serves as well.
        let may_lack = (self.stations[at].is_failing || self.stations[at].is_rotten())
            && !storage.findings.damaged.is_empty();
        self.ghost.recovers(at, id, &storage.recovered, may_lack)?;
        self.forget(at, &mut storage.recovered);
        let station = &mut self.stations[at];
        station.is_failing = false;
        station.node.log_disk.restart();
        station.node.snapshot_disk.restart();
        (station.started, station.frozen) = (self.now, Span(0));
        station.snapshots_found = storage.snapshots.ids().count();
        station.last_ticket = if self.planted == Some(Planted::TicketsBeginAnew) { 0 } else { seed >> 1 };
        let recovered = station.node.begin(storage, Instant(0), seed);
        self.say(|| {
            let last = recovered.start.index.0 + recovered.entries.len() as u64;
            let (hard, start) = (recovered.hard_state, recovered.start);
            format!("node {at} starts: {hard:?}, log from {start:?} to {last}")
        });
        self.sleep(at);
        self.work(at);
        Ok(())
    }

    /// What is too dear to check after every event.
    fn sweep(&mut self) -> Checked {
        self.ghost.order_is_right()?;
        self.ghost.is_bounded(self.settings.config.uncommitted_bytes_max as u64)?;
        let at = self.prng.place(self.stations.len());
        let id = NodeId(self.stations[at].id());
        if self.stations[at].is_rotten() {
            return Ok(());
        }
        match self.stations[at].node.durable() {
            Ok(storage) => {
                self.sometimes.images_checked += 1;
                self.ghost.is_on_disk(at, id, &storage.recovered, storage.store.digest())
            }
            Err(error) => fail("S22", format!("a power cut now would leave node {at} with this: {error}")),
        }
    }
}

impl Station {
    /// Whether a bit of its disks has flipped.
    pub(super) fn is_rotten(&self) -> bool {
        self.flipped.is_some()
    }

    fn new(settings: &Settings, id: u16, prng: &mut Prng) -> Station {
        let incarnation = Incarnation(prng.next_u64());
        let mut config = Config { id: NodeId(id), ..settings.config.clone() };
        if !config.voters.contains(&config.id) {
            config.voters.clear();
        }
        let make = Make {
            config,
            identity: Identity { cluster: CLUSTER, node: NodeId(id), incarnation },
            options: settings.options,
            snapshot_bytes: settings.snapshot_bytes,
            chunk_bytes: settings.chunk_bytes,
            read_back_bytes: settings.read_back_bytes,
        };
        Station {
            node: Node::new(make),
            life: 0,
            started: Instant(0),
            rate: settings.rates[usize::from(id)],
            wall: prng.below(5_000),
            inbox: Vec::new(),
            turn_at: None,
            wake: 0,
            is_paused: false,
            is_slow: false,
            flipped: None,
            is_filled: false,
            is_failing: false,
            is_lost: false,
            snapshots_found: 0,
            log_is_busy: false,
            snapshots_are_busy: false,
            deferred: Vec::new(),
            tickets: BTreeMap::new(),
            last_ticket: 0,
            old_log: None,
            last_receipt: None,
            old_receipt: None,
            last_write: None,
            frozen: Span(0),
            paused_at: Instant(0),
            snapshots_in_calm: 0,
        }
    }

    pub(super) fn id(&self) -> u16 {
        self.node.make.config.id.0
    }
}

/// Planted: what a node neglects with its log.
fn neglect_of_log(planted: Option<Planted>) -> Option<Neglect> {
    match planted? {
        Planted::SkipDirectorySync => Some(Neglect::DirectorySyncs),
        Planted::RetrySync => Some(Neglect::FailedSyncs),
        Planted::SwallowFull => Some(Neglect::FullDisk),
        _ => None,
    }
}

/// Planted: what a node neglects with its snapshots.
fn neglect_of_snapshots(planted: Option<Planted>) -> Option<Neglect> {
    match planted? {
        Planted::SkipSnapshotSync => Some(Neglect::Syncs),
        _ => neglect_of_log(planted),
    }
}

/// A number for a packet, for the trace.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    trace::mix_bytes(0, bytes)
}
