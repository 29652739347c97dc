//! A seeded generator of our own, because a replay must not change when a crate is updated.
//!
//! SplitMix64 (Steele, Lea and Flood, 2014): one 64-bit word of state, every seed is good, and it is fast
//! enough for the only uses here: election timeouts, campaign nonces and the faults of simulations.

/// A deterministic source of numbers: equal seeds give equal sequences, for ever.
#[derive(Clone, Debug)]
pub struct Prng {
    state: u64,
}

impl Prng {
    /// A generator that starts at `seed`; any value will do.
    pub fn new(seed: u64) -> Prng {
        Prng { state: seed }
    }

    /// The next number of the sequence, uniform over all of `u64`.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be zero.
    ///
    /// Multiply-shift: the bias is below `bound / 2^64`, nothing for the bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a range must hold at least one number");
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("a product of two 64-bit numbers has 64 high bits")
    }

    /// A place in a list of `count`, which must not be zero.
    pub fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).expect("it is below a usize")
    }

    /// One of these, of which there must be one at least.
    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.place(choices.len())].clone()
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }
}

#[cfg(test)]
mod tests {
    use super::Prng;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut prng = Prng::new(1_234_567);
        assert_eq!(prng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(prng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn below_stays_below_and_reaches_every_number() {
        let mut prng = Prng::new(7);
        let mut seen = [0u32; 5];
        for _ in 0..1_000 {
            seen[usize::try_from(prng.below(5)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
    }
}
