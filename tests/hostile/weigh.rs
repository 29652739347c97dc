//! How much memory a piece of work takes at a time, counted by an allocator that watches this thread.

/// What was claimed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weight {
    /// At the worst moment, in bytes. Growing a list counts both places at once.
    pub(crate) peak: u64,
    /// What is still held afterwards.
    pub(crate) kept: i64,
}

/// Does the work, and weighs it.
pub(crate) fn weigh<T>(work: impl FnOnce() -> T) -> (T, Weight) {
    let mut done = None;
    let info = allocation_counter::measure(|| done = Some(work()));
    (done.expect("it has been done"), Weight { peak: info.bytes_max, kept: info.bytes_current })
}
