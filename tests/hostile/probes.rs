//! One example of every kind of a message, also of those that will be added: found by asking the decoder.

use quorate::codec;
use serde::de::DeserializeOwned;

/// No enum has as many variants.
const VARIANTS_MAX: u32 = 64;

/// The longest example that is looked for, in bytes.
const BYTES_MAX: usize = 200;

/// Every variant of an enum with nothing but zeros and empty lists in it. For those that hold an enum, or an
/// option, the first kind of it.
pub(crate) fn every_kind<T: DeserializeOwned>() -> Vec<T> {
    let zeros = |count| vec![0; count];
    let example = |variant: u32| {
        (0..BYTES_MAX)
            .find_map(|count| codec::decode(&[&variant.to_le_bytes()[..], &zeros(count)].concat()).ok())
    };
    (0..VARIANTS_MAX).filter_map(example).collect()
}
