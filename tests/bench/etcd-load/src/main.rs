//! A load for etcd, measured as redis-benchmark measures: so many requests in flight for so many seconds.
//!
//! Every request in flight is a task that asks, waits for the answer and asks again; the tasks share the
//! connections evenly, and a connection carries several of them at a time. Keys and values look like those of
//! redis-benchmark. Reads are linearizable, which is etcd's default. One line of figures goes to stdout.

mod load;
mod options;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    match Options::parse().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("etcd-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let runtime = if options.threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(options.threads).enable_all().build()
    };
    let outcome = runtime.map_err(|error| error.to_string())?.block_on(load::run(options))?;
    println!("{outcome}");
    Ok(())
}
