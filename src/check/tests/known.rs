//! Histories whose verdict is known.

use super::*;

#[test]
fn nothing_and_one_after_the_other_are_in_order() {
    assert_good(&[]);
    assert_good(&[
        done(0, 1, get("k"), Answer::Nil),
        done(2, 3, set("k", "a"), Answer::Okay),
        done(4, 5, get("k"), value("a")),
        done(6, 7, set("k", "b"), Answer::Okay),
        done(8, 9, get("k"), value("b")),
    ]);
}

#[test]
fn what_overlaps_may_come_in_any_order() {
    assert_good(&[
        done(0, 10, set("k", "a"), Answer::Okay),
        done(0, 10, set("k", "b"), Answer::Okay),
        done(1, 2, get("k"), Answer::Nil),
        done(3, 4, get("k"), value("b")),
        done(5, 6, get("k"), value("a")),
        done(11, 12, get("k"), value("a")),
    ]);
}

#[test]
fn what_touches_in_one_instant_may_come_in_any_order() {
    assert_good(&[done(0, 5, set("k", "a"), Answer::Okay), done(5, 6, get("k"), Answer::Nil)]);
    assert_good(&[done(0, 5, get("n"), value("1")), done(5, 6, add("n", 1), Answer::Number(1))]);
}

#[test]
fn a_stale_read_is_found() {
    let why = assert_bad(&[
        done(0, 1, set("k", "a"), Answer::Okay),
        done(2, 3, set("k", "b"), Answer::Okay),
        done(4, 5, get("k"), value("a")),
    ]);
    assert!(why.contains("each of two values was there before the other one was gone"), "{why}");
    assert_eq!(why.lines().count(), 5, "{why}");
    assert_bad(&[done(0, 1, set("k", "a"), Answer::Okay), done(2, 3, get("k"), Answer::Nil)]);
}

#[test]
fn reads_that_disagree_about_the_order_of_two_writes_are_found() {
    assert_bad(&[
        done(0, 9, set("k", "a"), Answer::Okay),
        done(0, 9, set("k", "b"), Answer::Okay),
        done(1, 2, get("k"), value("a")),
        done(3, 4, get("k"), value("b")),
        done(5, 6, get("k"), value("a")),
    ]);
}

#[test]
fn a_read_from_the_future_is_found() {
    let why = assert_bad(&[done(0, 1, get("k"), value("a")), done(2, 3, set("k", "a"), Answer::Okay)]);
    assert!(why.contains("before anybody asked"), "{why}");
}

#[test]
fn a_lost_write_is_found() {
    let history = [
        done(0, 1, add("n", 1), Answer::Number(1)),
        done(2, 3, add("n", 1), Answer::Number(2)),
        done(4, 5, get("n"), value("1")),
        done(6, 7, add("n", 1), Answer::Number(3)),
    ];
    let why = assert_bad(&history);
    assert!(why.contains(r#"the state is: n = "2""#), "{why}");
    assert!(why.contains(r#"GET n -> "1"    should be "2""#), "{why}");
    assert!(!why.contains("-> 3"), "what comes after the first wrong answer is not shown: {why}");
    assert_bad(&[done(0, 1, append("k", "x"), Answer::Number(1)), done(2, 3, get("k"), Answer::Nil)]);
}

#[test]
fn a_double_increment_is_found() {
    assert_bad(&[done(0, 1, add("n", 1), Answer::Number(1)), done(2, 3, get("n"), value("2"))]);
    assert_bad(&[done(0, 9, add("n", 1), Answer::Number(1)), done(0, 9, add("n", 1), Answer::Number(1))]);
}

#[test]
fn a_write_that_claims_not_to_have_happened_must_not_be_seen() {
    let claim = open(0, set("k", "a"), Outcome::Nothing);
    assert_good(&[claim.clone(), done(5, 6, get("k"), Answer::Nil)]);
    let why = assert_bad(&[claim, done(5, 6, get("k"), value("a"))]);
    assert!(why.contains("only this could have, and it was not done"), "{why}");
    let claim = open(0, add("n", 1), Outcome::Nothing);
    let why = assert_bad(&[claim, done(5, 6, add("n", 1), Answer::Number(2))]);
    assert!(why.contains("claim that they have done nothing"), "{why}");
}

#[test]
fn an_unknown_write_may_show_late_or_never() {
    let unknown = open(0, set("k", "a"), Outcome::Unknown);
    let first = done(1, 2, set("k", "b"), Answer::Okay);
    assert_good(&[unknown.clone(), first.clone(), done(3, 4, get("k"), value("b"))]);
    assert_good(&[
        unknown.clone(),
        first,
        done(3, 4, get("k"), value("b")),
        done(1_000, 1_001, get("k"), value("a")),
    ]);
    assert_bad(&[done(0, 1, get("k"), value("a")), Operation { invoked: Instant(2), ..unknown }]);
}

#[test]
fn an_unknown_write_shows_once() {
    let unknown = open(0, set("k", "a"), Outcome::Unknown);
    assert_bad(&[
        unknown,
        done(1, 2, get("k"), value("a")),
        done(3, 4, set("k", "b"), Answer::Okay),
        done(5, 6, get("k"), value("a")),
    ]);
    let unknown = open(0, add("n", 1), Outcome::Unknown);
    let read = |at, text| done(at, at + 1, get("n"), value(text));
    assert_good(&[unknown.clone(), done(1, 2, add("n", 1), Answer::Number(1)), read(3, "1"), read(5, "2")]);
    assert_bad(&[unknown, done(1, 2, add("n", 1), Answer::Number(1)), read(3, "2"), read(5, "3")]);
}

#[test]
fn many_unknown_increments_are_no_burden() {
    let mut history: Vec<_> = (0..300).map(|at| open(at, add("n", 1), Outcome::Unknown)).collect();
    history.push(done(400, 401, get("n"), value("150")));
    assert_good(&history);
    history.push(done(402, 403, get("n"), value("301")));
    assert_bad(&history);
}

#[test]
fn conditions_and_deletes_are_followed() {
    assert_good(&[
        done(0, 1, set("k", "a"), Answer::Okay),
        done(2, 9, set_if("k", "a", "b"), Answer::Okay),
        done(2, 9, set_if("k", "a", "c"), Answer::Nil),
        open(10, delete("k"), Outcome::Unknown),
        done(11, 12, get("k"), Answer::Nil),
        done(13, 14, append("k", "xy"), Answer::Number(2)),
    ]);
    assert_bad(&[
        done(0, 1, set("k", "a"), Answer::Okay),
        done(2, 9, set_if("k", "a", "b"), Answer::Okay),
        done(2, 9, set_if("k", "a", "c"), Answer::Okay),
    ]);
    assert_bad(&[
        done(0, 1, set("k", "a"), Answer::Okay),
        done(2, 9, delete("k"), Answer::Number(1)),
        done(2, 9, delete("k"), Answer::Number(1)),
    ]);
}

#[test]
fn keys_that_are_asked_together_are_checked_together() {
    let both = |value: &str| Action::All(vec![set("a", value), set("b", value)]);
    let okay = || Answer::All(vec![Answer::Okay, Answer::Okay]);
    let look = Action::All(vec![get("a"), get("b")]);
    let seen = |a: &str, b: &str| Answer::All(vec![value(a), value(b)]);
    let writes = [done(0, 1, both("1"), okay()), done(2, 9, both("2"), okay())];
    let with = |extra: &[Operation]| [&writes[..], extra].concat();
    assert_good(&with(&[done(3, 4, look.clone(), seen("1", "1")), done(5, 6, get("b"), value("2"))]));
    assert_bad(&with(&[done(3, 4, look, seen("1", "2"))]));
    // Each key alone is in order here, but not both.
    assert_bad(&with(&[done(3, 4, get("a"), value("2")), done(5, 6, get("b"), value("1"))]));
}

#[test]
fn a_tied_group_beyond_the_budget_is_checked_key_by_key() {
    let both = Action::All(vec![set("a", "1"), set("b", "1")]);
    let okay = Answer::All(vec![Answer::Okay, Answer::Okay]);
    let mut history = vec![done(0, 1, both, okay)];
    history.extend((0..40).map(|at| done(2, 90, append("b", &at.to_string()), Answer::Any)));
    let verdict = check(&history, 20);
    assert!(matches!(&verdict, Verdict::Undecided(keys) if keys.len() == 2), "{verdict:?}");
    history.push(done(95, 96, get("a"), value("2")));
    assert!(matches!(check(&history, 20), Verdict::Violated(_)));
}

#[test]
fn beyond_the_budget_nothing_is_claimed() {
    // Which of these came how often cannot be told but by trying, and there is no way at all.
    let mut history: Vec<_> =
        (0..24).map(|at| open(at, append("k", &format!("{at},")), Outcome::Unknown)).collect();
    history.push(done(99, 100, get("k"), value("none of them")));
    assert!(matches!(check(&history, 10_000), Verdict::Undecided(_)));
}

#[test]
fn a_violation_outweighs_what_is_undecided() {
    let mut history: Vec<_> =
        (0..24).map(|at| open(at, append("a", &format!("{at},")), Outcome::Unknown)).collect();
    history.push(done(99, 100, get("a"), value("none of them")));
    history.push(done(99, 100, get("b"), value("x")));
    assert!(matches!(check(&history, 10_000), Verdict::Violated(_)));
}
