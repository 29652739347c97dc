//! Which of the 16384 hash slots of Redis Cluster a key belongs to.
//!
//! The slot is the CRC16 (XMODEM: polynomial 0x1021, start 0, nothing reflected) of the key, or, when the
//! key has a tag in braces, of the tag alone, so that clients can force keys together. The tag reaches from
//! the first opening brace to the next closing one; an empty tag does not count.
//!
//! One group holds all the keys here, and the slots serve only to satisfy cluster clients.

/// How many slots there are.
pub const SLOTS: u16 = 16_384;

static CRC16: [u16; 256] = crc16_table();

const fn crc16_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0u16;
    while byte < 256 {
        let mut crc = byte << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
}

/// The slot of `key`.
pub fn hash_slot(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % SLOTS
}

fn tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let after = &key[open + 1..];
    let close = after.iter().position(|byte| *byte == b'}')?;
    (close > 0).then(|| &after[..close])
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let [high, low] = crc.to_be_bytes();
        (u16::from(low) << 8) ^ CRC16[usize::from(high ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_published_one() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(hash_slot(b""), 0);
        assert_eq!(hash_slot(b"foo"), 12_182);
        assert_eq!(hash_slot(b"bar"), 5_061);
        assert_eq!(hash_slot(b"\x00\xFF"), 7_920);
    }

    #[test]
    fn only_the_first_tag_counts_and_only_if_it_holds_something() {
        assert_eq!(hash_slot(b"{user1000}.following"), hash_slot(b"user1000"));
        assert_eq!(hash_slot(b"foo{bar}{zap}"), hash_slot(b"bar"));
        assert_eq!(hash_slot(b"foo{{bar}}zap"), hash_slot(b"{bar"));
        for whole in [&b"foo{}{bar}"[..], b"{}", b"foo{bar", b"foo}bar{"] {
            assert_eq!(hash_slot(whole), crc16(whole) % SLOTS);
        }
    }
}
