//! Decimal numbers for INCRBYFLOAT, without floating point.
//!
//! Redis adds in the processor's 80-bit format and prints 17 places. Two processors need not agree on that
//! to the last place, and replicas must; besides, 1234567.1 + 0.2 should be 1234567.3 and not something near
//! it. So a number here is a count of 10^-17: sums are exact, and equal to what Redis prints wherever its own
//! rounding does not show. The price is the range: 128 bits hold numbers below 1.7 * 10^21.

use std::fmt;

/// Places behind the point, as many as Redis prints.
const PLACES: usize = 17;

/// 10 to the power of [`PLACES`].
const ONE: u128 = 100_000_000_000_000_000;

/// Digits that an i128 has at most: more of them, without leading zeros, are out of range.
const DIGITS_MAX: i64 = 39;

/// A text longer than this, in bytes, is no number that a client means.
const TEXT_BYTES_MAX: usize = 512;

/// A number as a count of 10^-17.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal(i128);

/// What a text may stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Number {
    /// One that can be added.
    Finite(Decimal),
    /// A valid way to write one that cannot: Redis reads it and refuses the sum.
    Infinite,
}

impl Number {
    /// The number that a text stands for: sign, digits with a point, exponent.
    pub(super) fn parse(text: &[u8]) -> Option<Number> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= TEXT_BYTES_MAX)?;
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
            return Some(Number::Infinite);
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let point = i64::try_from(whole.len()).expect("a short text") + exponent;
        let count = scale(&digits, point + i64::try_from(PLACES).expect("a small number"))?;
        Some(Number::Finite(Decimal(if negative { -count } else { count })))
    }
}

/// The exponent's value, or something as far beyond all that counts.
fn parse_exponent(text: &str) -> Option<i64> {
    const FAR: i64 = 1 << 20;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let far = if text.starts_with('-') { -FAR } else { FAR };
    Some(text.parse().map_or(far, |exponent: i64| exponent.clamp(-FAR, FAR)))
}

/// The number that the first `length` of `digits` make, filled up with zeros and rounded at the end.
fn scale(digits: &[u8], length: i64) -> Option<i128> {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = &digits[zeros..];
    let length = length - i64::try_from(zeros).expect("a short text");
    if digits.is_empty() || length < 0 {
        return Some(0);
    }
    if length > DIGITS_MAX {
        return None;
    }
    let length = usize::try_from(length).expect("between zero and a small number");
    let digit = |place: usize| digits.get(place).map_or(0, |digit| i128::from(digit - b'0'));
    let mut count: i128 = 0;
    for place in 0..length {
        count = count.checked_mul(10)?.checked_add(digit(place))?;
    }
    count.checked_add(i128::from(digit(length) >= 5))
}

impl Decimal {
    /// The exact sum, if it is in range.
    pub(super) fn checked_add(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).map(Decimal)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / ONE, self.0.unsigned_abs() % ONE);
        write!(formatter, "{sign}{whole}")?;
        let places = format!("{fraction:0PLACES$}");
        match places.trim_end_matches('0') {
            "" => Ok(()),
            places => write!(formatter, ".{places}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        match Number::parse(text.as_bytes())? {
            Number::Finite(decimal) => Some(decimal.to_string()),
            Number::Infinite => Some("inf".into()),
        }
    }

    #[test]
    fn numbers_are_read_as_redis_reads_them() {
        for (text, number) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("+10.50", "10.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("3.0e3", "3000"),
            ("314e-2", "3.14"),
            ("-1E-17", "-0.00000000000000001"),
            ("1e-18", "0"),
            ("5e-18", "0.00000000000000001"),
            ("0000000000000000000000000000000000000000000000001", "1"),
            ("0.00000000000000000000000000001e20", "0.000000001"),
            ("999999999999999999999", "999999999999999999999"),
            ("0e99999999999999999999", "0"),
            ("1e-99999999999999999999", "0"),
            ("-Infinity", "inf"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(number), "{text}");
        }
        for text in
            ["", "-", ".", "e3", "1e", "1e+", "1 ", " 1", "1.2.3", "abc", "nan", "0x10", "1e22", "1_0"]
        {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let decimal = |text: &str| match Number::parse(text.as_bytes()) {
            Some(Number::Finite(decimal)) => decimal,
            other => panic!("{other:?}"),
        };
        let sum = |one, other| decimal(one).checked_add(decimal(other)).map(|sum| sum.to_string());
        assert_eq!(sum("0.1", "0.2").as_deref(), Some("0.3"));
        assert_eq!(sum("1234567.1", "0.2").as_deref(), Some("1234567.3"));
        assert_eq!(sum("10.5", "-10.5").as_deref(), Some("0"));
        assert_eq!(sum("1.5e21", "1.5e21"), None);
    }
}
