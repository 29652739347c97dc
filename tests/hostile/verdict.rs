//! What a decoder made of hostile bytes.

/// What came of one input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    /// How many values were made of it.
    pub(crate) decoded: u64,
    /// The most memory that was held for it, in bytes.
    pub(crate) peak: u64,
}

impl Verdict {
    /// Holds the memory that was claimed against the bytes that had arrived: so many for each, and some more.
    pub(crate) fn bounded(self, input: &[u8], per_byte: u64, more: u64) -> Verdict {
        let bound = per_byte * input.len() as u64 + more;
        assert!(
            self.peak <= bound,
            "{} bytes were held for {}, the bound is {bound}",
            self.peak,
            input.len()
        );
        self
    }
}
