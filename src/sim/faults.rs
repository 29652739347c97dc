//! What goes wrong, when, and to whom.

use std::io::ErrorKind;

use super::ghost::Checked;
use super::planted::Planted;
use super::settings::{ELECTION_TIMEOUT, below, chance, pick, up_to};
use super::world::{Event, Input, World};
use crate::disk::{SimDisk, Survival};
use crate::raft::Span;

/// A kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// All lines work again.
    Heal,
    Crash,
    CrashAll,
    Pause,
    /// Two halves that do not hear each other, or only one of the other.
    Split,
    /// One node that is not heard, does not hear, or both.
    Isolate,
    /// Two halves, and one node that hears both.
    Bridge,
    /// A line that comes and goes.
    Flap,
    /// A line that holds everything back for a while.
    Clog,
    /// An operation of a disk fails.
    FailDisk,
    /// A disk has no more space for a while.
    FillDisk,
    /// A leader hands over.
    HandOver,
    /// A node's wall clock jumps.
    JumpClock,
}

impl Fault {
    pub(super) const ALL: [Fault; 12] = [
        Fault::Crash,
        Fault::CrashAll,
        Fault::Pause,
        Fault::Split,
        Fault::Isolate,
        Fault::Bridge,
        Fault::Flap,
        Fault::Clog,
        Fault::FailDisk,
        Fault::FillDisk,
        Fault::HandOver,
        Fault::JumpClock,
    ];
}

impl World {
    /// Leaders are struck more often than others: most rules are about what one leaves behind.
    pub(super) fn fault_strikes(&mut self) -> Checked {
        let any = below(&mut self.prng, self.stations.len());
        let leader = (0..self.stations.len()).find(|at| self.leads(*at)).unwrap_or(any);
        let at = if chance(&mut self.prng, 500) { leader } else { any };
        let fault = pick(&mut self.prng, &self.settings.faults);
        self.trace.note(&[100, at as u64, fault as u64]);
        self.say(|| format!("-- {fault:?} strikes, at node {at} if it is about one"));
        match fault {
            Fault::Heal => self.heal(),
            Fault::Crash => self.crash(at)?,
            Fault::CrashAll if chance(&mut self.prng, 300) => self.crash_all()?,
            Fault::CrashAll => {}
            Fault::Pause => self.pause(at),
            Fault::Split => self.split(),
            Fault::Isolate => self.isolate(at),
            Fault::Bridge => self.bridge(at),
            Fault::Flap => self.flap(at),
            Fault::Clog => {
                let to = below(&mut self.prng, self.stations.len());
                let until = self.now + up_to(&mut self.prng, ELECTION_TIMEOUT.times(3));
                self.lines.clog((at, to), until);
            }
            Fault::FailDisk => self.fail_disk(at),
            Fault::FillDisk => self.fill_disk(at),
            Fault::HandOver => self.hand_over(at),
            Fault::JumpClock => self.stations[at].wall += self.prng.below(3_600_000),
        }
        Ok(())
    }

    /// Some nodes are told that their lines are up again: what was under way is lost, they think. Some of it
    /// is not, which must do no harm.
    pub(super) fn heal(&mut self) {
        self.lines.heal();
        for at in 0..self.stations.len() {
            let peer = below(&mut self.prng, self.stations.len());
            if peer != at && chance(&mut self.prng, 500) {
                self.input(at, Input::Reconnected(peer));
            }
        }
    }

    fn split(&mut self) {
        let sides = self.prng.next_u64();
        let is_one_way = chance(&mut self.prng, 300);
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
        let (is_mute, is_deaf) = (chance(&mut self.prng, 700), chance(&mut self.prng, 700));
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
        let to = below(&mut self.prng, self.stations.len());
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
            self.sometimes.pauses += 1;
            let span = up_to(&mut self.prng, ELECTION_TIMEOUT.times(4));
            let life = self.stations[at].life;
            self.enqueue(span, Event::Resumes(at, life));
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
        if chance(&mut self.prng, 700) { log } else { snapshots }
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
        let survival = chance(&mut self.prng, 700).then(|| self.draw_survival());
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
        let down = pick(&mut self.prng, &[ELECTION_TIMEOUT.divided(50), ELECTION_TIMEOUT.times(4)]);
        let down = up_to(&mut self.prng, down);
        self.enqueue(down, Event::Starts(at));
        Ok(())
    }

    /// A step that is under way gets as far as some operation in it.
    fn interrupt(&mut self, at: usize) {
        let station = &mut self.stations[at];
        let Some(life) = &mut station.node.life else { return };
        if station.log_is_busy && chance(&mut self.prng, 600) {
            station.node.log_disk.stop_at(station.node.log_disk.operations() + 1 + self.prng.below(6));
            self.sometimes.torn_steps += 1;
            drop(life.log.work());
        }
        if station.snapshots_are_busy && chance(&mut self.prng, 600) {
            station
                .node
                .snapshot_disk
                .stop_at(station.node.snapshot_disk.operations() + 1 + self.prng.below(6));
            self.sometimes.torn_steps += 1;
            drop(life.snapshots.work());
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
