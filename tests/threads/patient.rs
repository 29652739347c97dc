//! A mailbox whose users may wait for each other, and so might do it in a circle.

#[path = "../../src/runtime/mailbox.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "it is part of a library there, and not all of it is needed here"
)]
pub(crate) mod mailbox;

pub(crate) mod parts {
    use std::collections::VecDeque;

    use loom::sync::{Condvar, Mutex, MutexGuard};

    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use std::sync::Arc;
    pub(crate) use std::time::Instant;

    #[derive(Debug)]
    struct Channel<T> {
        state: Mutex<State<T>>,
        changed: Condvar,
    }

    #[derive(Debug)]
    struct State<T> {
        messages: VecDeque<T>,
        capacity: usize,
        senders: usize,
        has_receiver: bool,
    }

    impl<T> Channel<T> {
        fn state(&self) -> MutexGuard<'_, State<T>> {
            self.state.lock().expect("nobody panics with it")
        }

        fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
            self.changed.wait(state).expect("nobody panics with it")
        }
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Channel<T>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Channel<T>>);

    #[derive(Debug)]
    pub(crate) enum TrySendError<T> {
        Full(T),
        Disconnected(T),
    }

    #[derive(Debug)]
    pub(crate) enum RecvTimeoutError {
        #[expect(dead_code, reason = "no deadline comes in these scenarios")]
        Timeout,
        Disconnected,
    }

    pub(crate) struct SendError<T>(T);

    impl<T> SendError<T> {
        pub(crate) fn into_inner(self) -> T {
            self.0
        }
    }

    pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        let state = State { messages: VecDeque::new(), capacity, senders: 1, has_receiver: true };
        let channel = Arc::new(Channel { state: Mutex::new(state), changed: Condvar::new() });
        (Sender(Arc::clone(&channel)), Receiver(channel))
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Sender<T> {
            self.0.state().senders += 1;
            Sender(Arc::clone(&self.0))
        }
    }

    impl<T> Channel<T> {
        /// Somebody leaves; unless the whole scenario is over, since it has failed.
        fn leave(&self, how: impl FnOnce(&mut State<T>)) {
            if !std::thread::panicking() {
                how(&mut self.state());
                self.changed.notify_all();
            }
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.leave(|state| state.senders -= 1);
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            self.0.leave(|state| state.has_receiver = false);
        }
    }

    impl<T> Sender<T> {
        pub(crate) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
            let mut state = self.0.state();
            if !state.has_receiver {
                return Err(TrySendError::Disconnected(message));
            }
            if state.messages.len() == state.capacity {
                return Err(TrySendError::Full(message));
            }
            state.messages.push_back(message);
            self.0.changed.notify_all();
            Ok(())
        }

        pub(crate) fn send(&self, message: T) -> Result<(), SendError<T>> {
            let mut state = self.0.state();
            while state.has_receiver && state.messages.len() == state.capacity {
                state = self.0.wait(state);
            }
            if !state.has_receiver {
                return Err(SendError(message));
            }
            state.messages.push_back(message);
            self.0.changed.notify_all();
            Ok(())
        }
    }

    impl<T> Receiver<T> {
        fn try_recv(&self) -> Option<T> {
            let message = self.0.state().messages.pop_front();
            self.0.changed.notify_all();
            message
        }

        pub(crate) fn try_iter(&self) -> TryIter<'_, T> {
            TryIter(self)
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.state().messages.is_empty()
        }

        /// Waits for as long as it takes.
        pub(crate) fn recv_deadline(&self, _: Instant) -> Result<T, RecvTimeoutError> {
            let mut state = self.0.state();
            loop {
                if let Some(message) = state.messages.pop_front() {
                    self.0.changed.notify_all();
                    return Ok(message);
                }
                if state.senders == 0 {
                    return Err(RecvTimeoutError::Disconnected);
                }
                state = self.0.wait(state);
            }
        }
    }

    pub(crate) struct TryIter<'a, T>(&'a Receiver<T>);

    impl<T> Iterator for TryIter<'_, T> {
        type Item = T;

        fn next(&mut self) -> Option<T> {
            self.0.try_recv()
        }
    }

    pub(crate) use super::super::lean::parts::Waker;
}
