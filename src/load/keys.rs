//! Which key is next.
//!
//! A Zipf distribution gives the key of rank r a share like 1 / r^theta: with 0.99, as is usual, the most
//! popular of 100,000 keys gets 8 % of all requests. It is drawn by rejection from a curve above the steps
//! that has an inverse (Hoermann and Derflinger, 1996): no table, whatever the number of keys, and hardly
//! ever more than one try. Ranks are scattered over the keys, so that popular ones are no neighbours.

use std::fmt;
use std::str::FromStr;

use crate::prng::Prng;

/// How requests are spread over keys.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Distribution {
    /// Each key as often as any other.
    Uniform,
    /// A few very often.
    Zipf {
        /// How uneven: 0 is uniform.
        theta: f64,
    },
    /// One after the other, and again.
    Sequential,
}

/// The usual unevenness.
const THETA_DEFAULT: f64 = 0.99;

/// Beyond this nearly everything is one key.
const THETA_MAX: f64 = 10.0;

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Distribution, String> {
        let wrong = || {
            format!(
                "{text:?} is no distribution; write uniform, sequential, zipf or zipf:THETA with a THETA \
                 above 0 and up to {THETA_MAX}"
            )
        };
        match text.split_once(':') {
            None if text == "uniform" => Ok(Distribution::Uniform),
            None if text == "sequential" => Ok(Distribution::Sequential),
            None if text == "zipf" => Ok(Distribution::Zipf { theta: THETA_DEFAULT }),
            Some(("zipf", theta)) => {
                let theta = theta.parse().ok().filter(|theta| *theta > 0.0 && *theta <= THETA_MAX);
                Ok(Distribution::Zipf { theta: theta.ok_or_else(wrong)? })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distribution::Uniform => formatter.write_str("uniform"),
            Distribution::Zipf { theta } => write!(formatter, "zipf:{theta}"),
            Distribution::Sequential => formatter.write_str("sequential"),
        }
    }
}

/// Draws keys: numbers below a count.
#[derive(Debug)]
pub(super) enum Keys {
    Uniform { count: u32 },
    Zipf(Zipf),
    Sequential { count: u32, next: u32 },
}

impl Keys {
    /// Of `count` keys, which is not zero.
    pub(super) fn new(distribution: Distribution, count: u32) -> Keys {
        assert!(count > 0, "there is at least one key");
        match distribution {
            Distribution::Uniform => Keys::Uniform { count },
            Distribution::Zipf { theta } => Keys::Zipf(Zipf::new(theta, count)),
            Distribution::Sequential => Keys::Sequential { count, next: 0 },
        }
    }

    pub(super) fn draw(&mut self, prng: &mut Prng) -> u32 {
        match self {
            Keys::Uniform { count } => small(prng.below(u64::from(*count))),
            Keys::Zipf(zipf) => zipf.draw(prng),
            Keys::Sequential { count, next } => {
                let key = *next;
                *next = (key + 1) % *count;
                key
            }
        }
    }
}

/// Ranks 1 to `count`, by rejection.
#[derive(Debug)]
pub(super) struct Zipf {
    count: u32,
    theta: f64,
    /// The area below the curve up to half a step into the first rank, without that rank's own share.
    lowest: f64,
    /// The area below the curve up to the end of the last rank.
    highest: f64,
}

/// A prime larger than any count: multiplying by it scatters ranks, and no two come together.
const SCATTER: u64 = 2_654_435_761;

const _: () = assert!(SCATTER > crate::limits::LOAD_KEYS_MAX as u64);

impl Zipf {
    fn new(theta: f64, count: u32) -> Zipf {
        let lowest = area(1.5, theta) - 1.0;
        Zipf { count, theta, lowest, highest: area(f64::from(count) + 0.5, theta) }
    }

    fn draw(&self, prng: &mut Prng) -> u32 {
        let rank = self.rank(prng);
        small(u64::from(rank - 1) * SCATTER % u64::from(self.count))
    }

    fn rank(&self, prng: &mut Prng) -> u32 {
        loop {
            let drawn = self.lowest + unit(prng) * (self.highest - self.lowest);
            let place = inverse_area(drawn, self.theta).clamp(1.0, f64::from(self.count));
            let rank = place.round();
            // Below the step of its rank, and not merely below the curve.
            if drawn >= area(rank + 0.5, self.theta) - rank.powf(-self.theta) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to count")]
                return rank as u32;
            }
        }
    }
}

/// The area below 1 / x^theta from 1 to `x`.
fn area(x: f64, theta: f64) -> f64 {
    let log = x.ln();
    log * ratio_exp((1.0 - theta) * log)
}

/// Where the area below the curve is `area`.
fn inverse_area(area: f64, theta: f64) -> f64 {
    let scaled = (area * (1.0 - theta)).max(-1.0);
    (area * ratio_log(scaled)).exp()
}

/// (e^x - 1) / x, also where x is next to nothing.
fn ratio_exp(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.exp_m1() / x } else { 1.0 + x / 2.0 }
}

/// ln(1 + x) / x, also where x is next to nothing.
fn ratio_log(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.ln_1p() / x } else { 1.0 - x / 2.0 }
}

/// A number from 0 to below 1.
fn unit(prng: &mut Prng) -> f64 {
    const STEPS: u64 = 1 << 53;
    #[expect(clippy::cast_precision_loss, reason = "both have no more than 53 bits")]
    let number = (prng.next_u64() >> 11) as f64 / STEPS as f64;
    number
}

fn small(key: u64) -> u32 {
    u32::try_from(key).expect("a key is below a count of 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 200_000;

    fn counts(text: &str, count: u32) -> Vec<u32> {
        let mut keys = Keys::new(text.parse().unwrap(), count);
        let mut prng = Prng::new(1);
        let mut counts = vec![0; count as usize];
        (0..DRAWS).for_each(|_| counts[keys.draw(&mut prng) as usize] += 1);
        counts
    }

    #[test]
    fn uniform_and_sequential_reach_every_key_alike() {
        assert!(counts("sequential", 100).iter().all(|count| *count == DRAWS / 100));
        assert!(counts("uniform", 100).iter().all(|count| count.abs_diff(DRAWS / 100) < 300));
    }

    #[test]
    fn ranks_have_the_shares_that_zipf_gives_them() {
        for theta in [0.5, 0.99, 1.0, 1.5] {
            let count = 1_000;
            let mut shares = counts(&format!("zipf:{theta}"), count);
            shares.sort_unstable_by(|one, other| other.cmp(one));
            let total: f64 = (1..=count).map(|rank| f64::from(rank).powf(-theta)).sum();
            for rank in [1, 2, 3, 10] {
                let wanted = f64::from(rank).powf(-theta) / total * f64::from(DRAWS);
                let found = f64::from(shares[rank as usize - 1]);
                let spread = 5.0 * wanted.sqrt() + 2.0;
                assert!((found - wanted).abs() < spread, "{theta} {rank}: {found}, should be {wanted}");
            }
        }
    }

    #[test]
    fn one_key_is_drawn_for_ever_and_many_are_never_passed() {
        assert_eq!(counts("zipf", 1), [DRAWS]);
        let mut keys = Keys::new("zipf:0.01".parse().unwrap(), crate::limits::LOAD_KEYS_MAX);
        let mut prng = Prng::new(3);
        assert!((0..10_000).all(|_| keys.draw(&mut prng) < crate::limits::LOAD_KEYS_MAX));
    }

    #[test]
    fn what_is_no_distribution_is_said_so() {
        for text in ["", "zipf:", "zipf:0", "zipf:-1", "zipf:nan", "zipf:11", "normal", "uniform:1"] {
            assert!(text.parse::<Distribution>().is_err(), "{text:?}");
        }
    }
}
