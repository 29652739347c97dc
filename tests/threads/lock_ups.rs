//! Threads that hand work to each other over full mailboxes come to an end.

use std::mem;
use std::time::Instant;

use loom::thread;

use super::explore::{every_order, some_order_breaks};
use super::patient::mailbox::{Address, Gone, Mailbox, Undelivered, mailbox};
use super::patient::parts::Waker;

/// What crosses is batches: so many events, so many answers.
type Batch = usize;

/// How the network's loop gives its batches to the worker.
#[derive(Clone, Copy)]
enum Giving {
    /// One if there is room for it; else it keeps it and reads nothing meanwhile, but goes on taking.
    AsThereIsRoom,
    /// All that it can read, waiting for room, before it takes anything: the mistake.
    AllFirst,
}

/// The loop of `src/runtime/split.rs`: it reads as long as it keeps nothing, hands over, and takes what the
/// worker has done, until every event is answered.
fn network(events: usize, giving: Giving, worker: &Address<Batch>, inbox: &Mailbox<Batch>, waker: &Waker) {
    let (mut to_read, mut kept, mut answered) = (events, 0, 0);
    if let Giving::AllFirst = giving {
        (0..mem::take(&mut to_read)).for_each(|_| worker.send(1).expect("the worker is there"));
    }
    while answered < events {
        match (kept, to_read) {
            (0, 0) if inbox.may_sleep() => waker.poll(),
            (0, 0) => {}
            (0, _) => {
                kept = 1;
                to_read -= 1;
            }
            // It sleeps for a moment only.
            _ => thread::yield_now(),
        }
        if kept > 0 {
            match worker.try_send(mem::take(&mut kept)) {
                Ok(()) => {}
                Err(Undelivered::Full(batch)) => kept = batch,
                Err(Undelivered::Gone(_)) => panic!("the worker is gone"),
            }
        }
        answered += inbox.drain().sum::<usize>();
    }
}

/// The worker of the same file: takes everything, answers once, waits.
fn work(inbox: &Mailbox<Batch>, network: &Address<Batch>) {
    loop {
        let first = match inbox.receive(Instant::now()) {
            Ok(first) => first,
            Err(Gone) => return,
        };
        let events = first.into_iter().chain(inbox.drain()).sum();
        if network.send(events).is_err() {
            return;
        }
    }
}

/// Both, with mailboxes for one batch.
fn split(events: usize, giving: Giving) {
    let waker = Waker::default();
    let (to_worker, for_worker) = mailbox(1, None);
    let (to_network, for_network) = mailbox(1, Some(waker.clone()));
    let worker = thread::spawn(move || work(&for_worker, &to_network));
    network(events, giving, &to_worker, &for_network, &waker);
    drop((to_worker, for_network));
    worker.join().expect("it ends when the other does");
}

#[test]
fn the_network_and_the_worker_do_not_lock_each_other_up() {
    every_order("network and worker, four events", 2, || split(4, Giving::AsThereIsRoom));
    some_order_breaks("a network that waits for the worker", 2, || split(4, Giving::AllFirst));
}

/// A node and the two threads that own its files (`src/server`): it offers and keeps what is not taken, they
/// wait for it.
fn node(writes: usize, orders: usize) {
    let waker = Waker::default();
    let (to_node, reports) = mailbox(1, Some(waker.clone()));
    let (to_log, for_log) = mailbox(1, None);
    let (to_snapshots, for_snapshots) = mailbox(orders, None);
    let threads = [(for_log, to_node.clone()), (for_snapshots, to_node)].map(|(inbox, node)| {
        thread::spawn(move || {
            while let Ok(Some(order)) = inbox.receive(Instant::now()) {
                for order in [order].into_iter().chain(inbox.drain()) {
                    // Should the node be gone, the next receive says so.
                    let _ = node.send(order);
                }
            }
        })
    });
    for order in 0..orders {
        to_snapshots.try_send(order).expect("there is room for all that can be under way");
    }
    let (mut to_write, mut backlog, mut reported) = (writes, None, 0);
    while reported < writes + orders {
        if backlog.is_none() && to_write > 0 {
            backlog = Some(to_write);
            to_write -= 1;
        }
        match backlog.take().map_or(Ok(()), |write| to_log.try_send(write)) {
            Ok(()) => {}
            Err(Undelivered::Full(write)) => backlog = Some(write),
            Err(Undelivered::Gone(_)) => panic!("the log's thread is gone"),
        }
        reported += reports.drain().count();
        match (backlog, to_write) {
            _ if reported == writes + orders => {}
            (None, 0) if reports.may_sleep() => waker.poll(),
            (None, 0) => {}
            _ => thread::yield_now(),
        }
    }
    drop((to_log, to_snapshots, reports));
    threads.into_iter().for_each(|thread| thread.join().expect("it ends when the node does"));
}

#[test]
fn a_node_and_the_threads_of_its_files_do_not_lock_each_other_up() {
    every_order("node, log and snapshots", 2, || node(2, 1));
}
