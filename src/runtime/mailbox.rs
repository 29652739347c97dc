//! How an actor on one thread hands work to one on another: a bounded crossbeam channel, and a wake-up for
//! receivers that wait in an event loop.
//!
//! Waking is a system call, so it is done once for whatever arrives while the receiver sleeps, and not at all
//! while it is awake (measured in the reference notes: 18 times cheaper than a wake-up for each message). A
//! mark tells: it is up while the receiver is awake, or will be since somebody woke it. The sender pushes and
//! then puts the mark up, and wakes if it was down. The receiver takes the mark down *before* the look after
//! which it sleeps. So a message is either seen by that look or followed by a wake-up. Both only ever swap
//! the mark, so that whoever takes it down knows of all that was pushed before it was put up.
//! `tests/threads` tries every order in which this can happen, with this very file.

use super::parts::{
    Arc, AtomicBool, Instant, Ordering, Receiver, RecvTimeoutError, Sender, TryIter, TrySendError, Waker,
    bounded,
};

/// The receiving end.
#[derive(Debug)]
pub struct Mailbox<T> {
    receiver: Receiver<T>,
    marked: Arc<AtomicBool>,
}

/// The sending end. Several may send to one mailbox.
#[derive(Debug)]
pub struct Address<T> {
    sender: Sender<T>,
    marked: Arc<AtomicBool>,
    waker: Option<Arc<Waker>>,
}

impl<T> Clone for Address<T> {
    fn clone(&self) -> Address<T> {
        let Address { sender, marked, waker } = self;
        Address { sender: sender.clone(), marked: Arc::clone(marked), waker: waker.clone() }
    }
}

/// A mailbox for so many messages. With a `waker` its owner waits in an event loop, without in the channel.
pub fn mailbox<T>(capacity: usize, waker: Option<Waker>) -> (Address<T>, Mailbox<T>) {
    let (sender, receiver) = bounded(capacity);
    let marked = Arc::new(AtomicBool::new(false));
    let waker = waker.map(Arc::new);
    (Address { sender, marked: Arc::clone(&marked), waker }, Mailbox { receiver, marked })
}

/// The message could not be delivered and comes back.
#[derive(Debug, PartialEq, Eq)]
pub enum Undelivered<T> {
    /// No room: try again later.
    Full(T),
    /// The receiver is gone.
    Gone(T),
}

impl<T> Address<T> {
    /// Delivers without waiting.
    ///
    /// # Errors
    ///
    /// The message, when there is no room or no receiver.
    pub fn try_send(&self, message: T) -> Result<(), Undelivered<T>> {
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => Undelivered::Full(message),
            TrySendError::Disconnected(message) => Undelivered::Gone(message),
        })?;
        self.wake();
        Ok(())
    }

    /// Delivers, and waits for room if need be.
    ///
    /// # Errors
    ///
    /// The message, when there is no receiver.
    pub fn send(&self, message: T) -> Result<(), Undelivered<T>> {
        self.sender.send(message).map_err(|error| Undelivered::Gone(error.into_inner()))?;
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker
            && !self.marked.swap(true, Ordering::AcqRel)
        {
            waker.wake().expect("an event loop can be woken as long as it exists");
        }
    }
}

impl<T> Mailbox<T> {
    /// Everything that has arrived. From here on nobody wakes the owner, until it asks whether it may sleep.
    pub fn drain(&self) -> TryIter<'_, T> {
        self.marked.swap(true, Ordering::AcqRel);
        self.receiver.try_iter()
    }

    /// Whether nothing seems to have arrived; no reason to sleep.
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// Whether its owner may sleep in its event loop: nothing has arrived, and whatever arrives from here on
    /// wakes it.
    pub fn may_sleep(&self) -> bool {
        self.marked.swap(false, Ordering::AcqRel);
        self.receiver.is_empty()
    }

    /// Waits for a message until `deadline`; `None` when none came.
    ///
    /// # Errors
    ///
    /// When no sender is left.
    pub fn receive(&self, deadline: Instant) -> Result<Option<T>, Gone> {
        match self.receiver.recv_deadline(deadline) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Gone),
        }
    }
}

/// Nobody is left at the other end.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;
