//! Numbers and patterns, as strict and as lax as Redis reads and writes them.
//!
//! **Integers** have one form only, the one they are printed in: no plus sign, no zeros in front, no blanks,
//! no "-0". Whatever reads as an integer is then stored, compared and hashed as the same bytes.
//!
//! **Floats** (INCRBYFLOAT) are decimals here as long as they can be: up to 17 digits after the point, which
//! is what Redis prints, and up to 21 before it. Such sums are exact. What does not fit goes through 64-bit
//! floats, and is printed with the fewest digits that read back as the same float. In Redis all of them are
//! C's `long double`, 80 bits on x86-64 and something else on other machines; but replicas must print the
//! same whatever they run on. Where the difference can be seen, against Redis on x86-64:
//!
//!  * 459.579 plus 0 stays 459.579; Redis prints 459.57899999999999999, digits that its binary number has in
//!    excess, which begin at the 19th or 20th digit of a number.
//!  * Beyond 1.7e21 numbers have some 16 good digits, in Redis 19.
//!  * Beyond 1.8e308 is infinity, which is refused, and below 4.9e-324 is nothing, which is refused too;
//!    Redis goes on to 1.2e4932 and 3.6e-4951.
//!  * Hexadecimal floats are no floats.
//!
//! **Patterns** (KEYS, SCAN MATCH, CONFIG GET) are Redis' globs: `*`, `?`, classes with ranges and `^`, and
//! the backslash. No pattern is malformed: a class without an end ends with the pattern, a backslash at
//! the end stands for itself. Only the last star met is ever extended, because what an earlier one could gain
//! by taking more, the last one can as well; so the work is bounded by the product of both lengths.
//! Differences: bytes above 127 in a range are compared without sign, which Redis leaves to the
//! machine, and stars match an empty text, which Redis sees to outside of its matcher and for `*` alone.

use std::io::Write as _;

/// Digits after the point that are printed at most, as in Redis.
const FRACTION_DIGITS_MAX: usize = 17;

/// One, in units of the last digit after the point.
const ONE: i128 = 100_000_000_000_000_000;

const _: () = assert!(ONE == 10i128.pow(17) && FRACTION_DIGITS_MAX == 17);

/// Why a float cannot be added to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatError {
    /// One of them is no float.
    Invalid,
    /// The sum is.
    NotFinite,
}

impl FloatError {
    /// What Redis says.
    pub fn text(self) -> &'static str {
        match self {
            FloatError::Invalid => "ERR value is not a valid float",
            FloatError::NotFinite => "ERR increment would produce NaN or Infinity",
        }
    }
}

/// Reads an integer that is written as it would be printed.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let magnitude = match digits {
        [b'0'] if !negative => 0,
        // Nineteen digits cannot overflow 64 bits without sign.
        [b'1'..=b'9', ..] if digits.len() <= 19 => parse_digits(digits)?,
        _ => return None,
    };
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

fn parse_digits(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0u64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

/// Appends an integer.
pub fn format_i64(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    format_u64(number.unsigned_abs(), out);
}

/// Appends an integer without sign.
pub fn format_u64(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).expect("a digit is small");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Reads a float: decimals with or without exponent, or an infinity; no blanks, and not too large or too
/// small for 64 bits.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    let number: f64 = text.parse().ok()?;
    let says_infinity = text.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'i'));
    let says_zero = || {
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
    };
    let lost = number.is_nan() || (number.is_infinite() && !says_infinity) || (number == 0.0 && !says_zero());
    (!lost).then_some(number)
}

/// Appends a float in plain notation.
///
/// # Panics
///
/// When it is not finite: such a number is refused, not printed.
pub fn format_f64(number: f64, out: &mut Vec<u8>) {
    assert!(number.is_finite(), "only finite numbers have a plain notation");
    let start = out.len();
    write!(out, "{number}").expect("a vector takes any number of bytes");
    let point = out[start..].iter().position(|byte| *byte == b'.').map(|offset| start + offset);
    if let Some(point) = point
        && out.len() - point - 1 > FRACTION_DIGITS_MAX
    {
        out.truncate(start);
        write!(out, "{number:.FRACTION_DIGITS_MAX$}").expect("a vector takes any number of bytes");
        drop_zeros(out);
    }
    if &out[start..] == b"-0" {
        out.remove(start);
    }
}

/// Appends the sum of two texts that are floats.
///
/// # Errors
///
/// [`FloatError`] if one is none, or there is no finite sum; nothing is appended then.
pub fn add_floats(left: &[u8], right: &[u8], out: &mut Vec<u8>) -> Result<(), FloatError> {
    let [left_float, right_float] = [left, right].map(parse_f64);
    let sum = left_float.ok_or(FloatError::Invalid)? + right_float.ok_or(FloatError::Invalid)?;
    if !sum.is_finite() {
        return Err(FloatError::NotFinite);
    }
    let exact = parse_decimal(left).and_then(|left| left.checked_add(parse_decimal(right)?));
    match exact {
        Some(sum) => format_decimal(sum, out),
        None => format_f64(sum, out),
    }
    Ok(())
}

/// A text that is a finite float, in units of the last digit after the point, if that is exact.
fn parse_decimal(text: &[u8]) -> Option<i128> {
    let (mut digits, mut scale, mut after_point) = (0i128, 0i32, false);
    let mut rest = text.iter();
    for byte in rest.by_ref() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                scale -= i32::from(after_point);
            }
            b'.' => after_point = true,
            b'e' | b'E' => break,
            _ => (),
        }
    }
    let exponent: i32 = match rest.as_slice() {
        [] => 0,
        exponent => str::from_utf8(exponent).ok()?.parse().ok()?,
    };
    let units = match exponent.checked_add(scale)?.checked_add(17)? {
        shift if digits == 0 || shift >= 0 => {
            let factor = if digits == 0 { 0 } else { 10i128.checked_pow(shift.unsigned_abs())? };
            digits.checked_mul(factor)?
        }
        shift => {
            let divisor = 10i128.checked_pow(shift.unsigned_abs())?;
            (digits % divisor == 0).then_some(digits / divisor)?
        }
    };
    Some(if text.starts_with(b"-") { -units } else { units })
}

fn format_decimal(units: i128, out: &mut Vec<u8>) {
    let sign = if units < 0 { "-" } else { "" };
    let (whole, fraction) = ((units / ONE).unsigned_abs(), (units % ONE).unsigned_abs());
    write!(out, "{sign}{whole}.{fraction:0FRACTION_DIGITS_MAX$}")
        .expect("a vector takes any number of bytes");
    drop_zeros(out);
}

/// Takes zeros behind a point away, and then the point itself.
fn drop_zeros(out: &mut Vec<u8>) {
    let kept = out.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
    out.truncate(kept);
    if out.ends_with(b".") {
        out.pop();
    }
}

/// Whether all of `text` fits `pattern`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_by(pattern, text, |byte| byte)
}

/// The same, with no difference between capital and small letters.
pub fn matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    matches_by(pattern, text, |byte| byte.to_ascii_lowercase())
}

fn matches_by(pattern: &[u8], text: &[u8], fold: impl Fn(u8) -> u8 + Copy) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where the pattern goes on after the last star, and where in the text that was tried last.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            if at == pattern.len() {
                return true;
            }
            star = Some((at, seen));
        } else if let Some(length) = match_one(&pattern[at..], text[seen], fold) {
            at += length;
            seen += 1;
        } else if let Some((after_star, tried)) = star {
            (at, seen) = (after_star, tried + 1);
            star = Some((at, seen));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// How long the first element of `pattern` is, which is no star, if it fits `byte`.
fn match_one(pattern: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => match_class(class, byte, fold).map(|length| 1 + length),
        [b'\\', escaped, ..] => (fold(*escaped) == fold(byte)).then_some(2),
        [literal, ..] => (fold(*literal) == fold(byte)).then_some(1),
    }
}

/// The same for a class, whose opening bracket is gone already.
fn match_class(class: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    let negated = class.first() == Some(&b'^');
    let mut rest = &class[usize::from(negated)..];
    let mut found = false;
    let byte = fold(byte);
    loop {
        match rest {
            [] => break,
            [b'\\', escaped, after @ ..] => {
                found |= fold(*escaped) == byte;
                rest = after;
            }
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [from, b'-', to, after @ ..] => {
                let (from, to) = (fold(*from.min(to)), fold(*from.max(to)));
                found |= (from..=to).contains(&byte);
                rest = after;
            }
            [literal, after @ ..] => {
                found |= fold(*literal) == byte;
                rest = after;
            }
        }
    }
    (found != negated).then_some(class.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(number: f64) -> String {
        let mut out = b"x0.".to_vec();
        format_f64(number, &mut out);
        String::from_utf8(out).unwrap().split_off(3)
    }

    #[test]
    fn an_integer_has_one_form() {
        for number in [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN, 1_000_000_000_000_000_000] {
            let mut out = Vec::new();
            format_i64(number, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), number.to_string());
            assert_eq!(parse_i64(&out), Some(number));
        }
        let mut out = Vec::new();
        format_u64(u64::MAX, &mut out);
        assert_eq!(out, b"18446744073709551615");
    }

    #[test]
    fn other_forms_are_no_integers() {
        let others = [
            "", "-", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1\n", "0x1", "1.0", "1e3", "--1", "1-",
            "\0", "1\0",
        ];
        for text in others {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        for beyond in
            ["9223372036854775808", "-9223372036854775809", "9999999999999999999", "10000000000000000000"]
        {
            assert_eq!(parse_i64(beyond.as_bytes()), None, "{beyond}");
        }
    }

    #[test]
    fn floats_are_printed_plainly() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (10.6, "10.6"),
            (5200.0, "5200"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (1e-17, "0.00000000000000001"),
            (1e-18, "0"),
            (-1e-18, "0"),
            (1.0 / 3.0 / 1024.0, "0.00032552083333333"),
            (1_234_567.1, "1234567.1"),
        ] {
            assert_eq!(printed(number), text);
        }
        assert_eq!(printed(f64::MAX).len(), 309);
        assert_eq!(printed(f64::MIN_POSITIVE), "0");
    }

    #[test]
    fn floats_are_read_as_c_does() {
        for (text, number) in
            [("1", 1.0), ("+1", 1.0), (".5", 0.5), ("5.", 5.0), ("5.0e3", 5000.0), ("0e9", 0.0), ("-0", 0.0)]
        {
            assert_eq!(parse_f64(text.as_bytes()), Some(number), "{text}");
        }
        assert_eq!(parse_f64(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_f64(b"Infinity"), Some(f64::INFINITY));
        for text in [
            "", " 1", "1 ", "nan", "-nan", "1x", "e5", ".", "1e400", "-1e400", "1e-400", "0x1p3", "\0", "1_0",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_f64(b"\xFF"), None);
    }

    fn sum(left: &str, right: &str) -> Result<String, FloatError> {
        let mut out = b"0.".to_vec();
        add_floats(left.as_bytes(), right.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap().split_off(2))
    }

    #[test]
    fn sums_are_exact_while_decimals_last() {
        for (left, right, expected) in [
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("611.32", "-716.51", "-105.19"),
            ("-0.5", "+0.5", "0"),
            ("-0", "-0.0", "0"),
            ("1E-17", "1e20", "100000000000000000000.00000000000000001"),
            ("10e-18", "-.25", "-0.24999999999999999"),
            ("73e16", "-199473", "729999999999800527"),
            ("0e2147483647", "00100", "100"),
            ("0.1e-17", "1", "1"),
            ("1e22", "1", "10000000000000000000000"),
            ("1e22", "-1e22", "0"),
            ("170141183460469231731.5", "170141183460469231731.5", "340282366920938463463"),
            ("1e21", "0.1234567890123456789", "1000000000000000000000"),
        ] {
            assert_eq!(sum(left, right).as_deref(), Ok(expected), "{left} {right}");
        }
        assert_eq!(sum("1e22", "x"), Err(FloatError::Invalid));
        assert_eq!(sum("", "1"), Err(FloatError::Invalid));
        assert_eq!(sum("inf", "1"), Err(FloatError::NotFinite));
        assert_eq!(sum("inf", "-inf"), Err(FloatError::NotFinite));
        assert_eq!(sum("1e308", "1e308"), Err(FloatError::NotFinite));
        assert_eq!(FloatError::Invalid.text(), "ERR value is not a valid float");
        assert_eq!(FloatError::NotFinite.text(), "ERR increment would produce NaN or Infinity");
    }

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text) in [
            ("*", "x"),
            ("*", ""),
            ("**", "abc"),
            ("", ""),
            ("a*", "a"),
            ("*a", "ba"),
            ("a*b*c", "aXXbYYc"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hallo"),
            ("\\*", "*"),
            ("\\a", "a"),
            ("\\", "\\"),
            ("[\\]]", "]"),
            ("[a\\-z]", "-"),
            ("[^]", "x"),
            ("[^", "x"),
            ("[a", "a"),
            ("[a-", "a"),
            ("[a-", "-"),
            ("[]-a]", "]-a]"),
            ("[-]", "-"),
            ("[a-]", "]"),
            ("[a-]", "^"),
            ("[\\", "\\"),
            ("*[a-c]*[x-z]", "__b__y"),
            ("a**?", "ab"),
        ] {
            let expected = pattern != "[]-a]";
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "x"),
            ("x", ""),
            ("?", ""),
            ("a", "ab"),
            ("a*b", "acd"),
            ("h[^e]llo", "hello"),
            ("[]", "x"),
            ("[", "["),
            ("[^a", "a"),
            ("\\*", "x"),
            ("a*?", "a"),
            ("[a-c]", "d"),
            ("A", "a"),
        ] {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        assert!(matches_ignoring_case(b"gE[T-U]*", b"GETrange"));
        assert!(matches(b"[\x80-\xFF]", b"\xC0"));
    }

    #[test]
    fn stars_cannot_blow_up() {
        let pattern = [b"a*".repeat(500), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &b"a".repeat(5_000)));
    }
}
