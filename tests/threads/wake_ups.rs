//! No message is left behind with a receiver that sleeps, and nobody is woken more often than it looks.

use loom::thread;

use super::explore::{every_order, some_order_breaks};
use super::lean::mailbox::{Address, Mailbox, Undelivered, mailbox};
use super::lean::parts::{Arc, AtomicBool, Ordering, Receiver, Sender, Waker, bounded};

/// Sends messages, each as soon as there is room.
fn send_all(address: &Address<usize>, messages: &[usize]) {
    for message in messages {
        let mut message = *message;
        while let Err(Undelivered::Full(same)) = address.try_send(message) {
            message = same;
            thread::yield_now();
        }
    }
}

/// Sleeps and takes until so many messages have come. Whatever was sent must be seen or wake, else this
/// sleeps for ever, which is found out.
fn receive_all(mailbox: &Mailbox<usize>, waker: &Waker, count: usize) -> Vec<usize> {
    let (mut received, mut rests) = (Vec::new(), 0);
    while received.len() < count {
        rests += 1;
        if mailbox.may_sleep() {
            waker.poll();
        }
        received.extend(mailbox.drain());
        // It was taken to sleep before its first rest, too.
        assert!(waker.count() <= rests + 1, "woken twice in a rest, or while it is awake");
    }
    received
}

/// Several senders to one receiver, which sleeps in between.
fn senders(capacity: usize, messages: &'static [&'static [usize]]) {
    let waker = Waker::default();
    let (address, mailbox) = mailbox(capacity, Some(waker.clone()));
    let senders: Vec<_> = messages
        .iter()
        .map(|messages| {
            let address = address.clone();
            thread::spawn(move || send_all(&address, messages))
        })
        .collect();
    let received = receive_all(&mailbox, &waker, messages.concat().len());
    senders.into_iter().for_each(|sender| sender.join().expect("it only sends"));
    for sent in messages {
        let of_one: Vec<usize> = received.iter().copied().filter(|message| sent.contains(message)).collect();
        assert_eq!(of_one, *sent, "lost, doubled or out of order");
    }
}

#[test]
fn what_is_sent_to_a_sleeping_receiver_is_seen() {
    every_order("one sender, two messages", 20, || senders(4, &[&[1, 2]]));
    every_order("one sender, four messages", 2, || senders(4, &[&[1, 2, 3, 4]]));
    every_order("two senders, a message each", 3, || senders(4, &[&[1], &[2]]));
    every_order("two senders, three messages", 2, || senders(4, &[&[1, 2], &[3]]));
    every_order("three senders, a message each", 1, || senders(4, &[&[1], &[2], &[3]]));
}

#[test]
fn a_full_mailbox_gives_the_message_back_and_it_arrives_later() {
    every_order("room for one, one sender", 3, || senders(1, &[&[1, 2, 3]]));
    every_order("room for one, two senders", 2, || senders(1, &[&[1], &[2]]));
}

/// The mailbox's algorithm with a mistake in it.
#[derive(Clone, Copy, Debug)]
enum Mistake {
    /// None: to see that it is the mistakes that are found.
    Nothing,
    /// The receiver looks, and takes the mark down afterwards.
    LooksFirst,
    /// The receiver puts the mark up without a look at it, and what others did before is forgotten.
    IsStored,
    /// The sender wakes, and pushes afterwards.
    WakesFirst,
    /// The mark carries no news of what was pushed before.
    IsRelaxed,
}

struct Wrong {
    mistake: Mistake,
    sender: Sender<usize>,
    receiver: Receiver<usize>,
    marked: AtomicBool,
    waker: Waker,
}

impl Wrong {
    fn swap(&self, mark: bool) -> bool {
        let ordering =
            if let Mistake::IsRelaxed = self.mistake { Ordering::Relaxed } else { Ordering::AcqRel };
        self.marked.swap(mark, ordering)
    }

    fn send(&self, message: usize) {
        if let Mistake::WakesFirst = self.mistake {
            self.wake();
        }
        self.sender.try_send(message).expect("there is room");
        if !matches!(self.mistake, Mistake::WakesFirst) {
            self.wake();
        }
    }

    fn wake(&self) {
        if !self.swap(true) {
            self.waker.wake().expect("it always works");
        }
    }

    fn may_sleep(&self) -> bool {
        if let Mistake::LooksFirst = self.mistake {
            let is_empty = self.receiver.is_empty();
            self.swap(false);
            return is_empty;
        }
        self.swap(false);
        self.receiver.is_empty()
    }

    fn drain(&self) -> usize {
        if let Mistake::IsStored = self.mistake {
            self.marked.store(true, Ordering::Release);
        } else {
            self.swap(true);
        }
        self.receiver.try_iter().count()
    }
}

/// Two senders, a message each.
fn with_a_mistake(mistake: Mistake) {
    let (sender, receiver) = bounded(4);
    let marked = AtomicBool::new(false);
    let wrong = Arc::new(Wrong { mistake, sender, receiver, marked, waker: Waker::default() });
    let senders = [1, 2].map(|message| {
        let wrong = Arc::clone(&wrong);
        thread::spawn(move || wrong.send(message))
    });
    let mut received = 0;
    while received < 2 {
        if wrong.may_sleep() {
            wrong.waker.poll();
        }
        received += wrong.drain();
    }
    senders.into_iter().for_each(|sender| sender.join().expect("it only sends"));
}

#[test]
fn every_mistake_in_the_order_is_found() {
    every_order("no mistake", 2, || with_a_mistake(Mistake::Nothing));
    for mistake in [Mistake::LooksFirst, Mistake::IsStored, Mistake::WakesFirst, Mistake::IsRelaxed] {
        some_order_breaks(&format!("{mistake:?}"), 2, move || with_a_mistake(mistake));
    }
}
