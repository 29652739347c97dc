//! The tasks that keep requests in flight, and what they measured together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use etcd_client::{Client, Error, KvClient};
use hdrhistogram::Histogram;
use tokio::task::JoinHandle;

use crate::options::{Operation, Options};

/// The longest latency that can be told, in microseconds: a minute.
const LATENCY_MAX: u64 = 60_000_000;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    latencies: Histogram<u64>,
    elapsed: Duration,
}

impl fmt::Display for Outcome {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.latencies.len();
        let seconds = self.elapsed.as_secs_f64();
        write!(out, "requests={done} seconds={seconds:.3} rate={:.1}", done as f64 / seconds)?;
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
            let microseconds = self.latencies.value_at_quantile(quantile);
            write!(out, " {name}={:.3}", microseconds as f64 / 1_000.0)?;
        }
        Ok(())
    }
}

/// Which keys are next, for all tasks together.
#[derive(Debug)]
enum Keys {
    /// One after the other until all were named.
    Each { next: AtomicU64, count: u64 },
    /// At random until the time is over.
    Random { until: Instant, count: u64 },
}

impl Keys {
    /// The next key of a task, or nothing if it is done.
    fn next(&self, random: &mut SplitMix) -> Option<String> {
        let number = match self {
            Keys::Each { next, count } => {
                Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| number < count)?
            }
            Keys::Random { until, count } => {
                if Instant::now() >= *until {
                    return None;
                }
                random.next() % count
            }
        };
        Some(format!("key:{number:012}"))
    }
}

/// Random numbers that are good enough to spread keys.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Runs the load; the first request that fails ends it.
pub async fn run(options: &Options) -> Result<Outcome, String> {
    let connections = connect(options).await.map_err(|error| format!("cannot connect: {error}"))?;
    let (began, count) = (Instant::now(), options.keys);
    let keys = Arc::new(match options.operation {
        Operation::Fill => Keys::Each { next: AtomicU64::new(0), count },
        Operation::Put | Operation::Get => Keys::Random { until: began + options.duration, count },
    });
    let tasks: Vec<JoinHandle<Result<Histogram<u64>, Error>>> = (0..options.in_flight)
        .map(|number| {
            let client = connections[number % connections.len()].clone();
            let random = SplitMix(number as u64 ^ u64::from(std::process::id()) << 32);
            tokio::spawn(ask(client, Arc::clone(&keys), random, options.operation, options.value_bytes))
        })
        .collect();
    let mut latencies = histogram();
    for task in tasks {
        let found = task.await.map_err(|error| error.to_string())?;
        let found = found.map_err(|error| format!("a request failed: {error}"))?;
        latencies.add(found).map_err(|error| error.to_string())?;
    }
    Ok(Outcome { latencies, elapsed: began.elapsed() })
}

/// Connections spread evenly over the endpoints.
async fn connect(options: &Options) -> Result<Vec<KvClient>, Error> {
    let mut connections = Vec::with_capacity(options.connections);
    for number in 0..options.connections {
        let endpoint = &options.endpoints[number % options.endpoints.len()];
        let mut client = Client::connect([endpoint], None).await?;
        client.status().await?;
        connections.push(client.kv_client());
    }
    Ok(connections)
}

/// One request in flight, again and again.
async fn ask(
    mut client: KvClient,
    keys: Arc<Keys>,
    mut random: SplitMix,
    operation: Operation,
    value_bytes: usize,
) -> Result<Histogram<u64>, Error> {
    let mut latencies = histogram();
    while let Some(key) = keys.next(&mut random) {
        let sent = Instant::now();
        match operation {
            Operation::Fill | Operation::Put => drop(client.put(key, vec![b'x'; value_bytes], None).await?),
            Operation::Get => drop(client.get(key, None).await?),
        }
        let microseconds = u64::try_from(sent.elapsed().as_micros()).unwrap_or(LATENCY_MAX);
        latencies.saturating_record(microseconds.max(1));
    }
    Ok(latencies)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX, 3).expect("the bounds make sense")
}
