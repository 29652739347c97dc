//! What a cluster costs that does nothing, and one write on its own.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::client::Reply;
use super::figures;
use super::nodes::{Nodes, wait_until};

#[test]
fn three_idle_nodes_write_nothing_and_hardly_work() {
    let mut nodes = Nodes::new("idle", 3).with_usual_timeouts().started();
    assert_eq!(nodes.client(1).say(&["SET", "k", "v"]), Reply::ok());
    await_quiet(&mut nodes);
    let processes: Vec<u32> = (1..=3).map(|id| nodes.process(id)).collect();
    let figures = |process: &u32| (figures::written(*process), figures::processor(*process));
    let before: Vec<(u64, u64)> = processes.iter().map(figures).collect();
    thread::sleep(Duration::from_secs(3));
    for (process, before) in processes.iter().zip(before) {
        let (written, worked) = figures(process);
        let resident = figures::resident(*process);
        println!(
            "idle for 3 s: {} bytes written, {} ms worked, {} KiB",
            written - before.0,
            worked - before.1,
            resident >> 10
        );
        assert_eq!(written, before.0, "an idle node writes nothing");
        // One in a hundred, and ten mebibytes. A build that is not optimized may take twice as much of both:
        // the pages of its larger program count, too.
        let leniency = if cfg!(debug_assertions) { 2 } else { 1 };
        assert!(worked - before.1 <= 30 * leniency, "{} ms in 3 s", worked - before.1);
        assert!(resident <= leniency * (10 << 20), "{resident} bytes");
    }
}

#[test]
fn a_lone_write_is_made_durable_once_on_each_node() {
    let mut nodes = Nodes::new("lone", 3).started();
    let mut client = nodes.client(1);
    assert_eq!(client.say(&["SET", "k", "v"]), Reply::ok());
    let before = await_quiet(&mut nodes);
    let counted: Vec<_> = (1..=3).map_while(|id| Counter::new(&mut nodes, id)).collect();
    assert_eq!(client.say(&["SET", "k", "w"]), Reply::ok());
    thread::sleep(Duration::from_millis(300));
    for (place, id) in (1..=3).enumerate() {
        let written = figures::written(nodes.process(id)) - before[place];
        println!("a lone SET: {written} bytes written by node {id}");
        assert!(written <= 8 << 10, "{written} bytes");
    }
    for counter in counted {
        assert_eq!(counter.count(), 1, "one fdatasync for one write");
    }
}

/// Waits until nobody writes any more, since the next segments are prepared. Answers how much each has
/// written.
fn await_quiet(nodes: &mut Nodes) -> Vec<u64> {
    let mut before = Vec::new();
    wait_until("nobody writes", || {
        let now: Vec<u64> = (1..=nodes.size).map(|id| figures::written(nodes.process(id))).collect();
        thread::sleep(Duration::from_millis(600));
        std::mem::replace(&mut before, now.clone()) == now
    });
    before
}

/// Counts a node's syncs while it lives.
struct Counter {
    tracer: std::process::Child,
    trace: std::path::PathBuf,
}

impl Counter {
    fn new(nodes: &mut Nodes, id: u16) -> Option<Counter> {
        let (trace, said) = (nodes.folder.join(format!("trace{id}")), nodes.folder.join(format!("said{id}")));
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=fdatasync,fsync,sync_file_range", "-o"]).arg(&trace);
        command.args(["-p", &nodes.process(id).to_string()]).stdin(Stdio::null());
        command.stderr(File::create(&said).expect("a file of ours"));
        let Ok(mut tracer) = command.spawn() else {
            eprintln!("not counted: there is no strace");
            return None;
        };
        let mut is_gone = false;
        wait_until("strace watches or gives up", || {
            is_gone = tracer.try_wait().expect("a child").is_some();
            is_gone || fs::read_to_string(&said).is_ok_and(|said| said.contains("attached"))
        });
        (!is_gone).then_some(Counter { tracer, trace })
    }

    fn count(mut self) -> usize {
        let process = self.tracer.id().to_string();
        let _ = Command::new("kill").args(["-INT", &process]).status();
        let _ = self.tracer.wait();
        let text = fs::read_to_string(&self.trace).expect("it was traced");
        text.lines().filter(|line| line.contains("sync") && line.contains("= 0")).count()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let _ = self.tracer.kill();
        let _ = self.tracer.wait();
    }
}
