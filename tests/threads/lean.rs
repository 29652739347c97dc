//! A mailbox whose queue promises as little as any queue can: that a message is there when whoever put it in
//! says so in some other way. Looking into it is no meeting of threads, and a look may miss what is not known
//! to be there.

#[path = "../../src/runtime/mailbox.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "it is part of a library there, and not all of it is needed here"
)]
pub(crate) mod mailbox;

pub(crate) mod parts {
    use std::sync::Mutex as Cell;

    use loom::sync::atomic::AtomicUsize;
    use loom::sync::{Condvar, Mutex};

    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use std::sync::Arc;
    pub(crate) use std::time::Instant;

    /// A ring.
    #[derive(Debug)]
    struct Ring<T> {
        slots: Vec<Slot<T>>,
        /// How many places have been taken, and how many emptied.
        taken: AtomicUsize,
        emptied: AtomicUsize,
    }

    /// Only the flag is for loom to see: nobody meets at the cell who has not met there.
    #[derive(Debug)]
    struct Slot<T> {
        is_full: AtomicBool,
        message: Cell<Option<T>>,
    }

    impl<T> Slot<T> {
        fn put(&self, message: T) {
            *self.message.try_lock().expect("one at a time") = Some(message);
            self.is_full.store(true, Ordering::Release);
        }

        fn take(&self) -> Option<T> {
            if !self.is_full.load(Ordering::Acquire) {
                return None;
            }
            let message = self.message.try_lock().expect("one at a time").take();
            self.is_full.store(false, Ordering::Relaxed);
            message
        }
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Ring<T>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Ring<T>>);

    #[derive(Debug)]
    pub(crate) enum TrySendError<T> {
        Full(T),
        #[expect(dead_code, reason = "in these scenarios nobody leaves")]
        Disconnected(T),
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "nobody waits in here")]
    pub(crate) enum RecvTimeoutError {
        Timeout,
        Disconnected,
    }

    pub(crate) struct SendError<T>(T);

    impl<T> SendError<T> {
        pub(crate) fn into_inner(self) -> T {
            self.0
        }
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Sender<T> {
            Sender(Arc::clone(&self.0))
        }
    }

    pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        let slot = || Slot { is_full: AtomicBool::new(false), message: Cell::new(None) };
        let slots = (0..capacity).map(|_| slot()).collect();
        let ring = Arc::new(Ring { slots, taken: AtomicUsize::new(0), emptied: AtomicUsize::new(0) });
        (Sender(Arc::clone(&ring)), Receiver(ring))
    }

    impl<T> Sender<T> {
        pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
            let Ring { slots, taken, emptied } = &*self.0;
            loop {
                let place = taken.load(Ordering::Relaxed);
                if place >= emptied.load(Ordering::Acquire) + slots.len() {
                    return Err(TrySendError::Full(message));
                }
                let is_ours = taken.compare_exchange(place, place + 1, Ordering::Relaxed, Ordering::Relaxed);
                if is_ours.is_ok() {
                    slots[place % slots.len()].put(message);
                    return Ok(());
                }
            }
        }

        pub(crate) fn send(&self, _: T) -> Result<(), SendError<T>> {
            unreachable!("nobody waits in here")
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn try_iter(&self) -> TryIter<'_, T> {
            TryIter(self)
        }

        pub(crate) fn is_empty(&self) -> bool {
            let Ring { slots, emptied, .. } = &*self.0;
            let place = emptied.load(Ordering::Relaxed);
            !slots[place % slots.len()].is_full.load(Ordering::Acquire)
        }

        pub(crate) fn recv_deadline(&self, _: Instant) -> Result<T, RecvTimeoutError> {
            unreachable!("nobody waits in here")
        }
    }

    pub(crate) struct TryIter<'a, T>(&'a Receiver<T>);

    impl<T> Iterator for TryIter<'_, T> {
        type Item = T;

        fn next(&mut self) -> Option<T> {
            let Ring { slots, emptied, .. } = &*self.0.0;
            let place = emptied.load(Ordering::Relaxed);
            let message = slots[place % slots.len()].take()?;
            emptied.store(place + 1, Ordering::Release);
            Some(message)
        }
    }

    /// An event loop that is woken, and how often.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Waker(Arc<Bell>);

    #[derive(Debug, Default)]
    struct Bell {
        is_rung: Mutex<bool>,
        rung: Condvar,
        count: std::sync::atomic::AtomicUsize,
    }

    impl Waker {
        pub(crate) fn wake(&self) -> std::io::Result<()> {
            self.0.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            *self.0.is_rung.lock().expect("nobody panics with it") = true;
            self.0.rung.notify_one();
            Ok(())
        }

        /// Sleeps until somebody wakes.
        pub(crate) fn poll(&self) {
            let mut is_rung = self.0.is_rung.lock().expect("nobody panics with it");
            while !*is_rung {
                is_rung = self.0.rung.wait(is_rung).expect("nobody panics with it");
            }
            *is_rung = false;
        }

        /// How often somebody woke.
        pub(crate) fn count(&self) -> usize {
            self.0.count.load(std::sync::atomic::Ordering::Relaxed)
        }
    }
}
