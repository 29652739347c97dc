//! `quorate course`: one replica under a course simulator.

use std::env;

use super::{Failure, start_log};
use crate::course::{Arguments, Desk, Link, Urgency, raft_config};
use crate::kv::Store;
use crate::raft::Recovered;
use crate::replica::Replica;
use crate::runtime::{Clock, Placement, arbitrary_seed, run_course};

/// Runs until the simulator closes the connection or kills this process.
pub(super) fn run(words: &[String]) -> Result<(), Failure> {
    let directory =
        env::current_dir().map_err(|error| Failure::io(format!("no working directory: {error}")))?;
    let arguments = Arguments::parse(words, &directory).map_err(Failure::usage)?;
    let placement = placement(arguments.voters.len())?;
    start_log(&format!("{:04X}", arguments.id.0), "warn");
    let clock = Clock::start();
    let lost = |error| Failure::io(format!("cannot reach the simulator at {:?}: {error}", arguments.dialect));
    let desk = Desk::new(arguments.id);
    let mut link = Link::open(&arguments.dialect).map_err(lost)?;
    if link.needs_hello() {
        link.send(desk.hello(), Urgency::Answer).map_err(lost)?;
    }
    let config = raft_config(arguments.id, &arguments.voters);
    let replica = Replica::new(config, Recovered::default(), Store::default(), clock.now(), arbitrary_seed());
    run_course(placement, replica, desk, link, clock).map_err(lost)
}

fn placement(replicas: usize) -> Result<Placement, Failure> {
    match env::var("QUORATE_PLACEMENT").as_deref() {
        Ok("fused") => Ok(Placement::Fused),
        Ok("split") => Ok(Placement::Split),
        Ok(other) => Err(Failure::usage(format!("QUORATE_PLACEMENT is {other:?}, not fused or split"))),
        Err(_) => Ok(Placement::for_replicas(replicas)),
    }
}
