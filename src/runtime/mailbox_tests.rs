//! The mailbox with real channels and a real event loop. What can go wrong between threads is in
//! `tests/threads`.

#![cfg(test)]

use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::mailbox::{Undelivered, mailbox};

#[test]
fn many_messages_wake_once_and_none_is_left_behind() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let (address, mailbox) = mailbox(64, Some(Waker::new(poll.registry(), Token(0)).unwrap()));
    for round in 0..3 {
        for number in 0..5 {
            address.try_send(round * 5 + number).unwrap();
        }
        poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
        assert_eq!(events.iter().count(), 1);
        assert_eq!(mailbox.drain().count(), 5);
        assert!(mailbox.may_sleep(), "all have been taken");
    }
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty(), "no wake-up without a message");
}

#[test]
fn who_is_awake_is_not_woken_and_does_not_fall_asleep_on_a_message() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let (address, mailbox) = mailbox(64, Some(Waker::new(poll.registry(), Token(0)).unwrap()));
    assert_eq!(mailbox.drain().count(), 0);
    address.try_send(1).unwrap();
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty(), "it is awake");
    assert!(!mailbox.is_empty() && !mailbox.may_sleep(), "there is a message");
    assert_eq!(mailbox.drain().count(), 1);
    assert!(mailbox.is_empty() && mailbox.may_sleep());
    address.try_send(2).unwrap();
    poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
    assert_eq!(events.iter().count(), 1, "it may be asleep");
}

#[test]
fn a_full_mailbox_gives_the_message_back() {
    let (address, mailbox) = mailbox(1, None);
    assert_eq!(address.try_send(1), Ok(()));
    assert_eq!(address.try_send(2), Err(Undelivered::Full(2)));
    drop(mailbox);
    assert_eq!(address.try_send(3), Err(Undelivered::Gone(3)));
}
