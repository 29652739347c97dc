//! What log entries and answers are made of: commands, operations and values in bincode, without any frame.

use quorate::codec;
use quorate::kv::{Command, Operation, Value, WallClock};
use quorate::resp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::probes::every_kind;
use super::verdict::Verdict;
use super::weigh::weigh;

/// As in `peer`.
const MEMORY_PER_BYTE: u64 = 34;
const MEMORY_MORE: u64 = 32 << 10;

/// Takes bytes for each of them.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let each = [decode::<Command>(input), decode::<Operation>(input), decode::<Value>(input)];
    let decoded = each.iter().map(|verdict| verdict.decoded).sum();
    let peak = each.iter().map(|verdict| verdict.peak).max().expect("there are some");
    Verdict { decoded, peak }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

fn decode<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(input: &[u8]) -> Verdict {
    let (value, weight) = weigh(|| codec::decode::<T>(input));
    if let Ok(value) = &value {
        let again = codec::encode(value);
        assert!(again == input, "{value:?} has two encodings");
        assert_eq!(codec::decode::<T>(&again).as_ref(), Ok(value));
    }
    Verdict { decoded: u64::from(value.is_ok()), peak: weight.peak }
}

/// Every kind of operation and of value, alone and in a command.
pub(crate) fn corpus() -> Vec<Vec<u8>> {
    let operations = every_kind::<Operation>();
    let values = every_kind::<Value>();
    let nested = Operation::Transaction { watched: Vec::new(), operations: operations.clone() };
    let all = Command { stamp: WallClock(1), once: None, operations: operations.clone() };
    let commands = operations.iter().chain([&nested]).map(|operation| {
        let operations = vec![operation.clone()];
        codec::encode(&Command { stamp: WallClock(1_700_000_000_000), once: None, operations })
    });
    let list = Value::Array(vec![Value::Array(values.clone()), Value::Text("text".into())]);
    commands
        .chain([all.encode().to_vec(), codec::encode(&list)])
        .chain(operations.iter().map(codec::encode))
        .chain(values.iter().map(codec::encode))
        .chain([codec::encode(&resp::Reply::bulk(b"other"))])
        .collect()
}
