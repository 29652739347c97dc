//! Faults that are planted on purpose, at the seams that the simulator owns: each must be found, or the
//! checks prove nothing.

macro_rules! planted {
    ($($(#[doc = $text:literal])* $variant:ident = $name:literal,)*) => {
        /// A planted fault.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Planted {
            $($(#[doc = $text])* $variant,)*
        }

        impl Planted {
            /// All of them.
            pub const ALL: &[Planted] = &[$(Planted::$variant,)*];

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Planted::$variant => $name,)*
                }
            }
        }
    };
}

planted! {
    /// Answers and votes leave before what they rest on is synced.
    AcknowledgeBeforeSync = "acknowledge-before-sync",
    /// A write counts as durable when it is handed over.
    ReceiptBeforeSync = "receipt-before-sync",
    /// A restart forgets for whom it voted.
    ForgetVote = "forget-vote",
    /// A restart begins in the term of its last entry.
    ForgetTerm = "forget-term",
    /// A restart forgets the last entry of its log.
    ForgetLastEntry = "forget-last-entry",
    /// A receipt for a write of the last life is taken for one of this life.
    ReceiptOfAnotherLife = "receipt-of-another-life",
    /// The log is not told that a leader's snapshot has taken its place.
    SkipMark = "skip-mark",
    /// A snapshot is stored under the position before its own.
    MisplaceSnapshot = "misplace-snapshot",
    /// A leader's snapshot is installed with the store that was there before.
    KeepStore = "keep-store",
    /// Whoever takes itself for the leader answers reads at once.
    ReadAtOnce = "read-at-once",
    /// Followers answer reads.
    ReadAtFollower = "read-at-follower",
    /// A write is answered when it is in the leader's log.
    AnswerBeforeCommit = "answer-before-commit",
    /// Now and then a power cut takes what had been synced.
    LyingDisk = "lying-disk",
    /// A follower sends a request to the leader twice.
    SendTwice = "send-twice",
    /// A follower that sends a request on forgets its name.
    DropName = "drop-name",
    /// A vote is counted for another voter, too.
    CountVoteTwice = "count-vote-twice",
    /// A refused append is taken for an accepted one.
    TakeRefusalForSuccess = "take-refusal-for-success",
    /// The names of requests that were sent on begin anew with each life.
    TicketsBeginAnew = "tickets-begin-anew",
    /// Leases, with clocks that run at half or twice the rate.
    ClocksApart = "clocks-apart",
}
