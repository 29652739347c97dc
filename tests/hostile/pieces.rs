//! Bytes in the pieces in which a stream delivers them: how they are cut must make no difference.

use quorate::prng::Prng;

/// A way of cutting: lengths, over and over.
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
    lengths: Vec<usize>,
    next: usize,
}

impl<'a> Pieces<'a> {
    /// All at once.
    pub(crate) fn whole(bytes: &'a [u8]) -> Pieces<'a> {
        Pieces { rest: bytes, lengths: vec![usize::MAX], next: 0 }
    }

    /// As the bytes themselves decide, so that whoever has them has the cuts too: sometimes byte by byte, if
    /// they are few, mostly a few short pieces and some long ones.
    pub(crate) fn cut(bytes: &'a [u8]) -> Pieces<'a> {
        let seed = bytes.iter().fold(bytes.len() as u64, |sum, byte| sum.rotate_left(5) ^ u64::from(*byte));
        let mut prng = Prng::new(seed);
        let mut length = || {
            let longest = [2, 8, 64, 1_024, 16_384][usize::try_from(prng.below(5)).expect("below five")];
            usize::try_from(1 + prng.below(longest)).expect("below a few thousand")
        };
        let lengths = if bytes.len() < 100 && seed.is_multiple_of(4) {
            vec![1]
        } else {
            (0..5).map(|_| length().max(bytes.len() / 200)).collect()
        };
        Pieces { rest: bytes, lengths, next: 0 }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let length = self.lengths[self.next % self.lengths.len()];
        self.next += 1;
        let (piece, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}
