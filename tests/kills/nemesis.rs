//! Trouble, drawn from a seed: kills of any one, of the leader, of a majority, of all, of one again and
//! again; pauses; polite ends.

use std::fmt;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use quorate::prng::Prng;

use crate::load::Shared;
use crate::node::{Cluster, Node};
use crate::settings::Settings;

/// How long a node that was asked to end may take.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// How often a long run tells how far it is.
const PROGRESS: Duration = Duration::from_secs(10);

/// What was done to the nodes.
#[derive(Default)]
pub(crate) struct Damage {
    kills: u64,
    kills_of_leaders: u64,
    kills_of_several: u64,
    pauses: u64,
    ends: u64,
    pub(crate) faults: Vec<String>,
    /// What was done when, in seconds since the start.
    pub(crate) events: Vec<(f64, String)>,
}

pub(crate) struct Nemesis<'a> {
    settings: &'a Settings,
    cluster: &'a Cluster,
    shared: &'a Shared<'a>,
    prng: Prng,
    damage: Damage,
    told: Instant,
}

impl<'a> Nemesis<'a> {
    pub(crate) fn new(settings: &'a Settings, cluster: &'a Cluster, shared: &'a Shared<'a>) -> Nemesis<'a> {
        let (prng, damage) = (Prng::new(settings.seed), Damage::default());
        Nemesis { settings, cluster, shared, prng, damage, told: Instant::now() }
    }

    /// Makes trouble until there was enough of it, and leaves all nodes running.
    pub(crate) fn run(mut self) -> Damage {
        self.rest();
        while self.damage.kills < self.settings.kills {
            self.inspect();
            match self.prng.below(100) {
                0..40 => self.kill_one(),
                40..64 => self.kill_leader(),
                64..72 => self.kill_several(self.settings.nodes / 2 + 1),
                72..78 => self.kill_several(self.settings.nodes),
                78..88 => self.pause(),
                88..93 => self.stutter(),
                _ => self.end(),
            }
            self.tell();
            self.rest();
        }
        self.inspect();
        self.damage
    }

    /// Time for the cluster to find its feet; sometimes not enough.
    fn rest(&mut self) {
        let milliseconds = match self.prng.below(10) {
            0..3 => self.prng.below(80),
            _ => 150 + self.prng.below(1_100),
        };
        thread::sleep(Duration::from_millis(milliseconds));
    }

    fn kill_one(&mut self) {
        let id = self.any();
        self.kill(&[id]);
    }

    fn kill_leader(&mut self) {
        // The draw happens in any case, so that a seed stands for the same choices.
        let other = self.any();
        let leader = self.cluster.leader();
        self.damage.kills_of_leaders += u64::from(leader.is_some());
        self.kill(&[leader.unwrap_or(other)]);
    }

    fn kill_several(&mut self, count: u64) {
        let first = self.any();
        let ids: Vec<u64> = (0..count).map(|step| (first - 1 + step) % self.settings.nodes + 1).collect();
        self.damage.kills_of_several += 1;
        self.kill(&ids);
    }

    /// Kills nodes at once and starts them again one by one.
    fn kill(&mut self, ids: &[u64]) {
        for id in ids {
            self.log(format!("kill {id}"));
            match self.cluster.with(*id, Node::kill) {
                Ok(ran) => self.damage.kills += u64::from(ran),
                Err(fault) => self.damage.faults.push(fault),
            }
        }
        for id in ids {
            thread::sleep(Duration::from_millis(self.prng.below(500)));
            self.start(*id);
        }
    }

    fn start(&mut self, id: u64) {
        self.log(format!("start {id}"));
        self.cluster.with(id, Node::start);
    }

    fn signal(&mut self, id: u64, signal: &str) {
        self.log(format!("{signal} {id}"));
        self.cluster.with(id, |node| node.signal(signal));
    }

    fn log(&mut self, event: String) {
        self.damage.events.push((self.shared.start.elapsed().as_secs_f64(), event));
    }

    fn pause(&mut self) {
        let any = self.any();
        let wants_leader = self.prng.below(2) == 0;
        let id = self.cluster.leader().filter(|_| wants_leader).unwrap_or(any);
        self.damage.pauses += 1;
        self.signal(id, "-STOP");
        thread::sleep(Duration::from_millis(self.prng.below(self.settings.pause_ms_max)));
        self.signal(id, "-CONT");
    }

    /// Kills one node again and again while its neighbour is paused: short lives, and answers that come late.
    fn stutter(&mut self) {
        let id = self.any();
        let neighbour = id % self.settings.nodes + 1;
        self.damage.pauses += 1;
        self.signal(neighbour, "-STOP");
        for _ in 0..3 {
            self.kill(&[id]);
            thread::sleep(Duration::from_millis(20 + self.prng.below(130)));
        }
        self.signal(neighbour, "-CONT");
    }

    fn end(&mut self) {
        let id = self.any();
        self.damage.ends += 1;
        self.log(format!("end {id}"));
        // One that was started this moment may not have come to catching signals yet.
        thread::sleep(Duration::from_millis(50));
        let status = self.cluster.with(id, |node| node.end(END_PATIENCE));
        if self.settings.is_graceful && !status.is_some_and(|status| status.success()) {
            self.damage.faults.push(format!("node {id} was asked to end, and did so with {status:?}"));
        }
        thread::sleep(Duration::from_millis(self.prng.below(500)));
        self.start(id);
    }

    fn any(&mut self) -> u64 {
        1 + self.prng.below(self.settings.nodes)
    }

    /// Notes which nodes have ended by themselves, and starts them again.
    fn inspect(&mut self) {
        for id in self.cluster.ids() {
            if let Err(fault) = self.cluster.with(id, Node::inspect) {
                self.damage.faults.push(fault);
                self.cluster.with(id, Node::start);
            }
        }
    }

    fn tell(&mut self) {
        if self.settings.is_long && self.told.elapsed() > PROGRESS {
            self.told = Instant::now();
            let answers = self.shared.answers.load(Ordering::Relaxed);
            println!(
                "{:>5.0} s: {}, {answers} answers",
                self.shared.start.elapsed().as_secs_f64(),
                self.damage
            );
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { kills, kills_of_leaders, kills_of_several, pauses, ends, .. } = self;
        write!(
            formatter,
            "{kills} kills ({kills_of_leaders} times the leader, {kills_of_several} times several at once), \
             {pauses} pauses, {ends} polite ends"
        )
    }
}
