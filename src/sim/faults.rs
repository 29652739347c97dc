//! What goes wrong, when, and to whom.

use std::io::ErrorKind;

use super::ghost::Checked;
use super::named::named;
use super::planted::Planted;
use super::settings::{ELECTION_TIMEOUT, up_to};
use super::world::{Event, Input, World};
use crate::disk::{SimDisk, Survival};
use crate::prng::Prng;
use crate::raft::Span;

named! {
    /// A kind of trouble: something that strikes now and then, or a condition that holds throughout.
    Fault:
    /// A process is killed, or its machine loses power.
    Crash = "crash",
    /// All machines lose power at once.
    CrashAll = "crash-all",
    /// A process stands still for a while.
    Pause = "pause",
    /// A node does everything late for a while.
    Slow = "slow",
    /// Two halves that do not hear each other, or only one of the other.
    Split = "split",
    /// One node that is not heard, does not hear, or both.
    Isolate = "isolate",
    /// Two halves, and one node that hears both.
    Bridge = "bridge",
    /// A line that comes and goes.
    Flap = "flap",
    /// A line that holds everything back for a while.
    Clog = "clog",
    /// An operation of a disk fails.
    FailDisk = "fail-disk",
    /// A disk has no more space for a while.
    FillDisk = "fill-disk",
    /// A bit on a disk flips: on a minority of the disks, since nothing is repaired from other nodes yet.
    Rot = "rot",
    /// A leader hands over.
    HandOver = "hand-over",
    /// An administrator changes who takes part.
    ChangeMembers = "change-members",
    /// A node's wall clock jumps.
    JumpClock = "jump-clock",
    /// Messages get lost.
    Lose = "lose",
    /// Messages come twice.
    Double = "double",
    /// Some messages come very late.
    Late = "late",
    /// Bits of messages flip.
    Damage = "damage",
    /// Messages of another cluster come in.
    Stray = "stray",
    /// Clocks run at different rates.
    Skew = "skew",
    /// A sync of a disk takes very long.
    Stall = "stall",
    /// Recoveries are cut short.
    BreakRecovery = "break-recovery",
}

impl Fault {
    /// Whether it strikes now and then.
    pub fn strikes(self) -> bool {
        self < Fault::Lose
    }
}

impl World {
    /// The next strike. Each draws from a generator of its own, so that leaving one out changes as little as
    /// possible of what comes after it. Leaders are struck more often than others: most rules are about what
    /// one leaves behind.
    pub(super) fn fault_strikes(&mut self) -> Checked {
        let number = self.strikes;
        self.strikes += 1;
        if self.wanted_strikes.as_ref().is_some_and(|wanted| !wanted.contains(&number)) {
            return Ok(());
        }
        let own = Prng::new(self.prng_of_strikes ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let shared = std::mem::replace(&mut self.prng, own);
        let outcome = self.strike(number);
        self.prng = shared;
        outcome
    }

    fn strike(&mut self, number: u64) -> Checked {
        let any = self.prng.place(self.stations.len());
        let leader = (0..self.stations.len()).find(|at| self.leads(*at)).unwrap_or(any);
        let at = if self.prng.chance(500) { leader } else { any };
        let kinds = self.settings.strikes.len();
        let kind = self.prng.place(kinds + self.settings.heals);
        let fault = self.settings.strikes.get(kind).copied();
        self.trace.note(&[100, at as u64, kind as u64]);
        let name = fault.map_or("heal", Fault::name);
        self.say(|| format!("-- strike {number}: {name}, node {at}"));
        match fault {
            None => self.heal(),
            Some(Fault::Crash) => self.crash(at)?,
            Some(Fault::CrashAll) if self.prng.chance(300) => self.crash_all()?,
            Some(Fault::Pause) => self.pause(at),
            Some(Fault::Slow) => self.slow(at),
            Some(Fault::Split) => self.split(),
            Some(Fault::Isolate) => self.isolate(at),
            Some(Fault::Bridge) => self.bridge(at),
            Some(Fault::Flap) => self.flap(at),
            Some(Fault::Clog) => {
                let to = self.prng.place(self.stations.len());
                let until = self.now + up_to(&mut self.prng, ELECTION_TIMEOUT.times(3));
                self.lines.clog((at, to), until);
            }
            Some(Fault::FailDisk) => self.fail_disk(at),
            Some(Fault::FillDisk) => self.fill_disk(at),
            Some(Fault::Rot) => self.rot(at)?,
            Some(Fault::HandOver) => self.hand_over(at),
            Some(Fault::ChangeMembers) => self.change_members(),
            Some(Fault::JumpClock) => self.stations[at].wall += self.prng.below(3_600_000),
            Some(_) => {}
        }
        Ok(())
    }

    /// Some nodes are told that their lines are up again: what was under way is lost, they think. Some of it
    /// is not, which must do no harm.
    pub(super) fn heal(&mut self) {
        self.lines.heal();
        for at in 0..self.stations.len() {
            let peer = self.prng.place(self.stations.len());
            if peer != at && self.prng.chance(500) {
                self.input(at, Input::Reconnected(peer));
            }
        }
    }

    fn split(&mut self) {
        let sides = self.prng.next_u64();
        let is_one_way = self.prng.chance(300);
        let side = |at: usize| sides >> at & 1;
        for from in 0..self.stations.len() {
            for to in 0..self.stations.len() {
                if side(from) > side(to) || (side(from) < side(to) && !is_one_way) {
                    self.lines.cut.insert((from, to));
                    self.sometimes.cuts += 1;
                }
            }
        }
    }

    fn isolate(&mut self, at: usize) {
        let (is_mute, is_deaf) = (self.prng.chance(700), self.prng.chance(700));
        for other in (0..self.stations.len()).filter(|other| *other != at) {
            if is_mute {
                self.lines.cut.insert((at, other));
            }
            if is_deaf {
                self.lines.cut.insert((other, at));
            }
            self.sometimes.cuts += 1;
        }
    }

    fn bridge(&mut self, at: usize) {
        let sides = self.prng.next_u64();
        for from in (0..self.stations.len()).filter(|from| *from != at) {
            for to in (0..self.stations.len()).filter(|to| *to != at) {
                if sides >> from & 1 != sides >> to & 1 {
                    self.lines.cut.insert((from, to));
                    self.sometimes.cuts += 1;
                }
            }
        }
    }

    fn flap(&mut self, at: usize) {
        let to = self.prng.place(self.stations.len());
        let period = Span(self.prng.below(ELECTION_TIMEOUT.times(3).0) + 1_000);
        self.enqueue(Span(0), Event::Flaps((at, to), period, 10));
    }

    pub(super) fn flaps(&mut self, line: (usize, usize), period: Span, left: u32) {
        if self.is_calm {
            return;
        }
        if !self.lines.cut.remove(&line) {
            self.lines.cut.insert(line);
        }
        if left > 0 {
            self.enqueue(period, Event::Flaps(line, period, left - 1));
        } else {
            self.lines.cut.remove(&line);
        }
    }

    fn pause(&mut self, at: usize) {
        if self.stations[at].node.life.is_some() && !self.stations[at].is_paused {
            self.stations[at].is_paused = true;
            self.stations[at].paused_at = self.now;
            self.sometimes.pauses += 1;
            let span = up_to(&mut self.prng, ELECTION_TIMEOUT.times(4));
            let life = self.stations[at].life;
            self.enqueue(span, Event::Resumes(at, life));
        }
    }

    fn slow(&mut self, at: usize) {
        if !self.stations[at].is_slow {
            self.stations[at].is_slow = true;
            self.sometimes.slow_nodes += 1;
            let span = up_to(&mut self.prng, ELECTION_TIMEOUT.times(10));
            self.enqueue(span, Event::Quickens(at));
        }
    }

    fn fail_disk(&mut self, at: usize) {
        let disk = self.one_disk(at);
        let operation = disk.operations() + 1 + self.prng.below(12);
        disk.fail_at(operation, ErrorKind::Other);
        self.stations[at].is_failing = true;
    }

    fn one_disk(&mut self, at: usize) -> SimDisk {
        let node = &self.stations[at].node;
        let (log, snapshots) = (node.log_disk.clone(), node.snapshot_disk.clone());
        if self.prng.chance(700) { log } else { snapshots }
    }

    fn fill_disk(&mut self, at: usize) {
        let disk = self.one_disk(at);
        let used = used_bytes(&disk);
        disk.set_capacity(Some(used + self.prng.below(2_000)));
        self.stations[at].is_filled = true;
        let span = up_to(&mut self.prng, ELECTION_TIMEOUT.times(10));
        self.enqueue(span, Event::DiskHasRoom(at));
    }

    fn hand_over(&mut self, at: usize) {
        let now = self.local(at);
        let station = &mut self.stations[at];
        if let Some(life) = station.node.life.as_mut().filter(|_| !station.is_paused)
            && life.replica.hand_leadership_over(now).is_some()
        {
            self.sometimes.handovers += 1;
            self.wake_soon(at);
        }
    }

    fn crash_all(&mut self) -> Checked {
        let survival = self.draw_survival();
        for at in 0..self.stations.len() {
            self.kill(at, Some(survival))?;
        }
        Ok(())
    }

    fn draw_survival(&mut self) -> Survival {
        match self.prng.below(4) {
            0 => Survival::Nothing,
            1 => Survival::Prefix(self.prng.below(4_000)),
            _ => Survival::Random(self.prng.next_u64()),
        }
    }

    fn crash(&mut self, at: usize) -> Checked {
        let survival = self.prng.chance(700).then(|| self.draw_survival());
        self.kill(at, survival)
    }

    /// Ends a process, often in the middle of a step of its disks, and its machine with it if power is cut.
    pub(super) fn kill(&mut self, at: usize, power: Option<Survival>) -> Checked {
        self.interrupt(at);
        self.end_process(at)?;
        let station = &mut self.stations[at];
        if power.is_some()
            && self.planted == Some(Planted::LyingDisk)
            && let Some(disk) = station.old_log.take()
        {
            station.node.log_disk = disk;
        }
        if power.is_some() && self.planted == Some(Planted::WipeDisk) && self.prng.chance(300) {
            (station.node.log_disk, station.node.snapshot_disk) = (SimDisk::new(), SimDisk::new());
            station.node.format().expect("an empty disk takes a log");
        }
        for disk in [&station.node.log_disk, &station.node.snapshot_disk] {
            match power {
                Some(survival) => disk.cut_power(survival),
                None => disk.restart(),
            }
        }
        match power {
            Some(_) => self.sometimes.power_cuts += 1,
            None => self.sometimes.kills += 1,
        }
        let down = self.prng.pick(&[ELECTION_TIMEOUT.divided(50), ELECTION_TIMEOUT.times(4)]);
        let down = up_to(&mut self.prng, down);
        self.enqueue(down, Event::Starts(at));
        Ok(())
    }

    /// A step that is under way gets as far as some operation in it.
    fn interrupt(&mut self, at: usize) {
        let station = &mut self.stations[at];
        let Some(life) = &mut station.node.life else { return };
        if station.log_is_busy && self.prng.chance(600) {
            station.node.log_disk.stop_at(station.node.log_disk.operations() + 1 + self.prng.below(6));
            self.sometimes.torn_steps += 1;
            drop(life.work_on_log());
        }
        if station.snapshots_are_busy && self.prng.chance(600) {
            station
                .node
                .snapshot_disk
                .stop_at(station.node.snapshot_disk.operations() + 1 + self.prng.below(6));
            self.sometimes.torn_steps += 1;
            drop(life.work_on_snapshots());
        }
    }
}

/// What all files of a disk take.
fn used_bytes(disk: &SimDisk) -> u64 {
    use crate::disk::Disk;
    let mut other = disk.fork();
    other.restart();
    let names = other.names().unwrap_or_default();
    names.iter().filter_map(|name| disk.content(name)).map(|content| content.len() as u64).sum()
}
