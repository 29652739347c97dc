//! What the redis crate gets to hear at one door. Arguments: the door, and what keys begin with.

use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use redis::{Commands, Connection, ExistenceCheck, Pipeline, RedisError, SetExpiry, SetOptions};

type Outcome = Result<(), String>;

/// A check, by its name.
type Check = (&'static str, fn(&mut Connection, &str) -> Outcome);

const CHECKS: &[Check] = &[
    ("GET, SET with options, MGET, MSET", strings),
    ("counters", counters),
    ("lifetimes", lifetimes),
    ("1 MiB values, binary keys", big_and_binary),
    ("pipelines of 1000", pipelines),
    ("MULTI, EXEC, WATCH", transactions),
    ("errors", errors),
    ("INFO, CONFIG, SCAN", server),
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(door), Some(prefix)) = (words.next(), words.next()) else {
        eprintln!("arguments: DOOR PREFIX");
        return ExitCode::from(64);
    };
    for protocol in [2, 3] {
        let mut connection = match connect(&door, protocol) {
            Ok(connection) => connection,
            Err(error) => {
                eprintln!("cannot connect to {door}: {error}");
                return ExitCode::FAILURE;
            }
        };
        for (place, (name, check)) in CHECKS.iter().enumerate() {
            match check(&mut connection, &format!("{prefix}crate{place}")) {
                Ok(()) => println!("ok {name} (RESP{protocol})"),
                Err(why) => println!("FAILED {name} (RESP{protocol}): {}", why.replace('\n', " ")),
            }
        }
    }
    ExitCode::SUCCESS
}

fn connect(door: &str, protocol: u8) -> Result<Connection, RedisError> {
    let url = match door.split_once(':') {
        Some(("unix", path)) if protocol == 3 => format!("redis+unix://{path}?protocol=resp3"),
        Some(("unix", path)) => format!("redis+unix://{path}"),
        Some((_, place)) if protocol == 3 => format!("redis://{place}/?protocol=resp3"),
        Some((_, place)) => format!("redis://{place}/"),
        None => door.to_owned(),
    };
    let connection = redis::Client::open(url)?.get_connection()?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(connection)
}

/// Compares an answer with what it has to be.
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: Result<T, RedisError>, wanted: T) -> Outcome {
    match found {
        Ok(found) if found == wanted => Ok(()),
        Ok(found) => {
            let text = format!("{what}: found {found:?}, wanted {wanted:?}");
            Err(text.chars().take(300).collect())
        }
        Err(error) => Err(format!("{what}: {error}")),
    }
}

fn okay() -> String {
    "OK".to_owned()
}

fn refused<T: std::fmt::Debug>(what: &str, found: Result<T, RedisError>, part: &str) -> Outcome {
    match found {
        Err(error) if error.to_string().contains(part) => Ok(()),
        other => Err(format!("{what}: found {other:?}, wanted an error with {part:?}")),
    }
}

fn strings(node: &mut Connection, key: &str) -> Outcome {
    let (second, third) = (format!("{key}-2"), format!("{key}-3"));
    let _: Result<i64, RedisError> = node.del(&[key, &second, &third]);
    expect("SET", node.set::<_, _, String>(key, "a"), okay())?;
    expect("GET", node.get::<_, Option<String>>(key), Some("a".to_owned()))?;
    expect("GET nothing", node.get::<_, Option<String>>(&third), None)?;
    let once = SetOptions::default().conditional_set(ExistenceCheck::NX);
    expect("SET NX", node.set_options::<_, _, Option<String>>(key, "b", once), None)?;
    let again = SetOptions::default().conditional_set(ExistenceCheck::XX).get(true);
    expect("SET XX GET", node.set_options::<_, _, String>(key, "c", again), "a".to_owned())?;
    expect("MSET", node.mset::<_, _, String>(&[(key, "1"), (&second, "2")]), okay())?;
    let wanted = vec![Some("1".to_owned()), Some("2".to_owned()), None];
    expect("MGET", node.mget::<_, Vec<Option<String>>>(&[key, &second, &third]), wanted)?;
    expect("DEL", node.del(&[key, &second, &third]), 2_i64)
}

fn counters(node: &mut Connection, key: &str) -> Outcome {
    let _: Result<i64, RedisError> = node.del(key);
    expect("INCR", node.incr(key, 3), 3_i64)?;
    expect("DECR", node.decr(key, 10), -7_i64)?;
    expect("INCRBYFLOAT", node.incr(key, 0.5), -6.5_f64)?;
    refused("INCR", node.incr::<_, _, i64>(key, 1), "not an integer")
}

fn lifetimes(node: &mut Connection, key: &str) -> Outcome {
    let brief = SetOptions::default().with_expiration(SetExpiry::EX(100));
    expect("SET EX", node.set_options::<_, _, String>(key, "1", brief), okay())?;
    let left: i64 = node.ttl(key).map_err(|error| error.to_string())?;
    expect("TTL", Ok(left == 99 || left == 100), true)?;
    expect("PEXPIRE", node.pexpire(key, 60), true)?;
    sleep(Duration::from_millis(80));
    expect("GET", node.get::<_, Option<String>>(key), None)
}

fn big_and_binary(node: &mut Connection, key: &str) -> Outcome {
    let odd = [&[0, 255, 13, 10], key.as_bytes()].concat();
    let big: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    expect("SET", node.set::<_, _, String>(&odd, &big), okay())?;
    expect("GET", node.get::<_, Vec<u8>>(&odd).map(|value| value == big), true)?;
    expect("DEL", node.del(&odd), 1_i64)
}

fn pipelines(node: &mut Connection, key: &str) -> Outcome {
    let _: Result<i64, RedisError> = node.del(key);
    let mut pipeline = redis::pipe();
    for _ in 0..500 {
        pipeline.incr(key, 1).get(key);
    }
    let wanted: Vec<i64> = (1..=500).flat_map(|count| [count, count]).collect();
    expect("answers", pipeline.query(node), wanted)
}

fn transactions(node: &mut Connection, key: &str) -> Outcome {
    let _: Result<i64, RedisError> = node.del(key);
    let mut all = redis::pipe();
    all.atomic().set(key, 1).ignore().cmd("PING").incr(key, 1).get(key);
    expect("EXEC", all.query(node), ("PONG".to_owned(), 2_i64, 2_i64))?;
    let mut tries = 0;
    let counted = redis::transaction(node, &[key], |node, pipeline: &mut Pipeline| {
        let seen: i64 = node.get(key)?;
        tries += 1;
        if tries == 1 {
            // A change of the watched key, even by ourselves, ends the first try.
            let _: () = node.set(key, 10)?;
        }
        pipeline.set(key, seen + 1).ignore().get(key).query::<Option<(i64,)>>(node)
    });
    expect("WATCH", counted, (11,))?;
    expect("tries", Ok(tries), 2)
}

fn errors(node: &mut Connection, key: &str) -> Outcome {
    let unknown = redis::cmd("NONSENSE").arg(key).query::<String>(node);
    refused("unknown", unknown, "unknown command")?;
    refused("arguments", redis::cmd("GET").query::<String>(node), "wrong number of arguments")?;
    refused("a list", node.lpush::<_, _, i64>(key, 1), "unknown command")
}

fn server(node: &mut Connection, key: &str) -> Outcome {
    let info: String = redis::cmd("INFO").arg("server").query(node).map_err(|error| error.to_string())?;
    expect("INFO", Ok(info.starts_with("# Server\r\nredis_version:")), true)?;
    let wanted = vec![("databases".to_owned(), "1".to_owned())];
    expect("CONFIG GET", redis::cmd("CONFIG").arg("GET").arg("databases").query(node), wanted)?;
    for number in 0..50 {
        node.set::<_, _, ()>(format!("{key}:{number}"), number).map_err(|error| error.to_string())?;
    }
    let found: Result<Vec<String>, _> =
        node.scan_match::<_, String>(format!("{key}:*")).map_err(|error| error.to_string())?.collect();
    let mut found = found.map_err(|error: RedisError| error.to_string())?;
    found.sort();
    found.dedup();
    expect("SCAN", Ok(found.len()), 50_usize)
}
