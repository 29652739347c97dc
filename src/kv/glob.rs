//! Patterns of KEYS and SCAN: `*`, `?`, `[a-c]`, `[^x]` and `\` before a character that is meant as it is.
//!
//! The matcher keeps one place to go back to, that of the last `*`: an earlier one never needs to take more
//! than it did. So it needs no stack, and takes at most pattern times text steps, however many stars a client
//! writes; the length of patterns is limited on top of that.

/// Whether a pattern fits a text from end to end.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut place, mut at) = (0, 0);
    // Behind the last star, and how far the text was when it took nothing.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        if pattern.get(place) == Some(&b'*') {
            star = Some((place + 1, at));
            place += 1;
        } else if let Some(next) = matches_one(pattern, place, text[at]) {
            place = next;
            at += 1;
        } else if let Some((behind, taken)) = star {
            star = Some((behind, taken + 1));
            (place, at) = (behind, taken + 1);
        } else {
            return false;
        }
    }
    pattern[place..].iter().all(|byte| *byte == b'*')
}

/// Where the pattern goes on if its part at `place` fits `byte`.
fn matches_one(pattern: &[u8], place: usize, byte: u8) -> Option<usize> {
    match pattern.get(place)? {
        b'?' => Some(place + 1),
        b'[' => {
            let (fits, next) = matches_class(pattern, place + 1, byte);
            fits.then_some(next)
        }
        b'\\' if place + 1 < pattern.len() => (pattern[place + 1] == byte).then_some(place + 2),
        literal => (*literal == byte).then_some(place + 1),
    }
}

/// Whether the class that begins at `place` has `byte`, and where it ends. One that nothing closes ends with
/// the pattern, as in Redis.
fn matches_class(pattern: &[u8], mut place: usize, byte: u8) -> (bool, usize) {
    let negated = pattern.get(place) == Some(&b'^');
    place += usize::from(negated);
    let mut found = false;
    loop {
        match pattern[place..] {
            [] => return (found != negated, place),
            [b']', ..] => return (found != negated, place + 1),
            [b'\\', literal, ..] => {
                found |= literal == byte;
                place += 2;
            }
            [one, b'-', other, ..] => {
                found |= (one.min(other)..=one.max(other)).contains(&byte);
                place += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                place += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_redis() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hbllo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-c]llo", "hdllo", false),
            ("[\\]]", "]", true),
            ("[a", "a", true),
            ("a[", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("\\", "\\", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxxcx", false),
            ("user:*:name", "user:17:name", true),
            ("a**", "a", true),
            ("[]", "a", false),
            ("[^]", "a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let pattern = "a*".repeat(500) + "b";
        assert!(!matches(pattern.as_bytes(), &[b'a'; 4_000]));
    }
}
