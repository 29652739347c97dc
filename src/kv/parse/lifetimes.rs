//! Commands about when keys end.

use super::arguments;
use super::options::{self, Notation};
use crate::kv::operation::{EndOrder, LifetimeCondition, LifetimeForm, Operation, Presence};
use crate::kv::value::Value;

type Parsed = Result<Operation, Value>;

/// `EXPIRE key seconds [NX | XX] [GT | LT]`, and PEXPIRE, EXPIREAT, PEXPIREAT
pub(super) fn expire(name: &str, words: &[&[u8]]) -> Parsed {
    let condition = condition(&words[2..])?;
    let notation = Notation { in_seconds: !name.starts_with('p'), since_1970: name.ends_with("at") };
    let moment = options::moment(name, notation, arguments::integer(words[1])?)?;
    Ok(Operation::SetLifetime { key: arguments::key(words[0])?, moment, condition })
}

fn condition(options: &[&[u8]]) -> Result<LifetimeCondition, Value> {
    let (mut absent, mut present, mut later, mut earlier) = (false, false, false, false);
    for option in options {
        match &*arguments::word(option) {
            "nx" => absent = true,
            "xx" => present = true,
            "gt" => later = true,
            "lt" => earlier = true,
            _ => return Err(unsupported(option)),
        }
    }
    if absent && (present || later || earlier) {
        return Err(Value::error("NX and XX, GT or LT options at the same time are not compatible"));
    }
    if later && earlier {
        return Err(Value::error("GT and LT options at the same time are not compatible"));
    }
    let end = match (absent, present) {
        (true, _) => Presence::Absent,
        (_, true) => Presence::Present,
        _ => Presence::Any,
    };
    let order = match (later, earlier) {
        (true, _) => EndOrder::Later,
        (_, true) => EndOrder::Earlier,
        _ => EndOrder::Any,
    };
    Ok(LifetimeCondition { end, order })
}

/// Redis repeats the option up to a zero byte; here only as much of it as fits a line, and nothing that would
/// end the line.
fn unsupported(option: &[u8]) -> Value {
    const SHOWN_BYTES_MAX: usize = 64;
    let length = option.iter().take(SHOWN_BYTES_MAX).take_while(|byte| **byte != 0).count();
    let shown = String::from_utf8_lossy(&option[..length]);
    Value::error(&format!("Unsupported option {}", shown.replace(['\r', '\n'], " ")))
}

/// `TTL key`, `PTTL key`, `EXPIRETIME key`, `PEXPIRETIME key`
pub(super) fn ask(name: &str, words: &[&[u8]]) -> Parsed {
    let form = match name {
        "ttl" => LifetimeForm::SecondsLeft,
        "pttl" => LifetimeForm::MillisecondsLeft,
        "expiretime" => LifetimeForm::SecondsSince1970,
        _ => LifetimeForm::MillisecondsSince1970,
    };
    Ok(Operation::Lifetime { key: arguments::key(words[0])?, form })
}

/// `PERSIST key`
pub(super) fn persist(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Persist { key: arguments::key(words[0])? })
}
