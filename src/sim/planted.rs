//! Faults that are planted on purpose, at the seams that the simulator owns: each must be found, or the
//! checks prove nothing.

use super::named::named;

named! {
    /// A planted fault.
    Planted:
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
    /// A leader counts its writes as durable up to the newest when an older one is (ABA).
    BlessLaterWrites = "bless-later-writes",
    /// Names of files are never made durable.
    SkipDirectorySync = "skip-directory-sync",
    /// A sync that failed is repeated, and the second time it is believed.
    RetrySync = "retry-sync",
    /// A write for which a full disk had no space is taken for done.
    SwallowFull = "swallow-full",
    /// Snapshots are not synced.
    SkipSnapshotSync = "skip-snapshot-sync",
    /// A start takes what it reads back for durable.
    SkipSyncInRecovery = "skip-sync-in-recovery",
    /// The log gets entries without the terms and votes that go with them.
    DropHardState = "drop-hard-state",
    /// Two writes on their way to the log change places.
    SwapWrites = "swap-writes",
    /// Now and then the log loses the entries of a write.
    LoseWrite = "lose-write",
    /// Now and then a power cut takes the whole disk, and the node comes back under its old name.
    WipeDisk = "wipe-disk",
    /// Any answer of a follower confirms the newest round of its leader (etcd 20418).
    ConfirmWithAnyAnswer = "confirm-with-any-answer",
    /// A deposed leader tells everybody who waits that nothing has happened.
    DenyAtStepDown = "deny-at-step-down",
    /// A deposed leader forgets the reads that wait.
    ForgetReads = "forget-reads",
    /// A request that is repeated gets a new name.
    RenameRetry = "rename-retry",
    /// An answer goes to another request.
    SwapAnswers = "swap-answers",
    /// A heartbeat commits all that a follower has.
    CommitBeyondMatch = "commit-beyond-match",
    /// A follower acknowledges all that it has, whatever was compared (Ratis 2605).
    MatchOwnTail = "match-own-tail",
    /// What a deposed leader says counts in the present term.
    BelieveDeposed = "believe-deposed",
    /// A vote of an earlier term counts in the present one.
    CountLateVotes = "count-late-votes",
    /// A frame of another cluster is taken.
    BelieveOtherCluster = "believe-other-cluster",
    /// A frame is taken without its checksum.
    BelieveDamaged = "believe-damaged",
    /// A clock stands still while its process does; with leases.
    ClockStopsInPause = "clock-stops-in-pause",
    /// A node sleeps until it is spoken to.
    SleepThrough = "sleep-through",
    /// Leases, with clocks that run at half or twice the rate.
    ClocksApart = "clocks-apart",
}
