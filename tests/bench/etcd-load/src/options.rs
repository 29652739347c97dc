//! What is to be done, from the command line.

use std::ffi::OsStr;
use std::time::Duration;

use lexopt::prelude::*;

const USAGE: &str = "usage: quorate-etcd-load OPERATION --endpoints URL,... [--connections N] [--in-flight N]
    [--seconds S] [--keys N] [--value-bytes N] [--threads N]
OPERATION: fill (puts each key once), put or get (random keys for some seconds)";

/// What each request does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Puts each key once.
    Fill,
    /// Puts random keys until the time is over.
    Put,
    /// Gets random keys until the time is over.
    Get,
}

/// The command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// What each request does.
    pub operation: Operation,
    /// Where etcd listens; connections are spread over them.
    pub endpoints: Vec<String>,
    /// How many connections there are.
    pub connections: usize,
    /// How many requests wait for their answer at any time.
    pub in_flight: usize,
    /// For how long requests are sent.
    pub duration: Duration,
    /// How many keys there are.
    pub keys: u64,
    /// The length of each value.
    pub value_bytes: usize,
    /// How many threads the load may use.
    pub threads: usize,
}

impl Options {
    /// Reads the command line.
    pub fn parse() -> Result<Options, String> {
        let wrong = |error: lexopt::Error| format!("{error}\n{USAGE}");
        let mut found = Options {
            operation: Operation::Put,
            endpoints: Vec::new(),
            connections: 50,
            in_flight: 50,
            duration: Duration::from_secs(1),
            keys: 100_000,
            value_bytes: 32,
            threads: 1,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Value(word) => found.operation = Operation::named(&word).map_err(wrong)?,
                Long(name) => {
                    let name = name.to_owned();
                    found.take(&name, &mut parser).map_err(wrong)?;
                }
                Short(_) => return Err(wrong(argument.unexpected())),
            }
        }
        let counts = [found.endpoints.len(), found.connections, found.in_flight, found.threads];
        if counts.contains(&0) || found.keys == 0 {
            return Err(format!("endpoints and every count must be at least one\n{USAGE}"));
        }
        Ok(found)
    }

    /// Reads the value of a flag.
    fn take(&mut self, flag: &str, parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
        match flag {
            "endpoints" => {
                self.endpoints = parser.value()?.string()?.split(',').map(str::to_owned).collect();
            }
            "connections" => self.connections = parser.value()?.parse()?,
            "in-flight" => self.in_flight = parser.value()?.parse()?,
            "seconds" => self.duration = Duration::from_secs_f64(parser.value()?.parse()?),
            "keys" => self.keys = parser.value()?.parse()?,
            "value-bytes" => self.value_bytes = parser.value()?.parse()?,
            "threads" => self.threads = parser.value()?.parse()?,
            _ => return Err(Long(flag).unexpected()),
        }
        Ok(())
    }
}

impl Operation {
    fn named(word: &OsStr) -> Result<Operation, lexopt::Error> {
        match word.to_str() {
            Some("fill") => Ok(Operation::Fill),
            Some("put") => Ok(Operation::Put),
            Some("get") => Ok(Operation::Get),
            _ => Err(Value(word.to_owned()).unexpected()),
        }
    }
}
