//! `quorate cli`: commands from words, lines or a prompt, and their answers, for who has no redis-cli.
//!
//! Missing: editing of lines and a history; a terminal's own editing has to do.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use super::client::{Client, Reply};
use super::{EXIT_FAILED, Failure, answer_text, help, is_for_people, show, show_bytes};
use crate::net::Address;
use crate::resp::{Bounds, RequestParser};

/// Where a node listens if nobody says otherwise.
pub(super) const ADDRESS_DEFAULT: &str = "tcp:127.0.0.1:6379";

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    address: Address,
    /// Show types; `None` where stdout decides.
    is_formatted: Option<bool>,
    is_help: bool,
    /// The command; empty if it comes from stdin.
    words: Vec<Vec<u8>>,
}

/// Runs the command line's command, or those of stdin.
pub(super) fn run(words: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = Options::parse(words)?;
    if options.is_help {
        return show(&help::text(Some("cli")).expect("cli has a text"));
    }
    let is_formatted = options.is_formatted.unwrap_or_else(is_for_people);
    let mut talk = Talk { client: None, address: options.address, is_formatted, has_failed: false };
    talk.connect()?;
    if !options.words.is_empty() {
        talk.ask(&options.words)?;
    } else if io::stdin().is_terminal() {
        return talk.converse();
    } else {
        talk.read_script()?;
    }
    Ok(if talk.has_failed { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

impl Options {
    fn parse(words: Vec<OsString>) -> Result<Options, Failure> {
        use lexopt::prelude::{Long, Short, Value, ValueExt};
        let wrong = |error: lexopt::Error| Failure::usage_of("cli", error.to_string());
        let address = ADDRESS_DEFAULT.parse().expect("it is an address");
        let mut options = Options { address, is_formatted: None, is_help: false, words: Vec::new() };
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Long("connect") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(wrong)?;
                    options.address = text.parse().map_err(|error| Failure::usage_of("cli", error))?;
                }
                Long("raw") => options.is_formatted = Some(false),
                Long("no-raw") => options.is_formatted = Some(true),
                Long("help") | Short('h') => options.is_help = true,
                Value(command) => {
                    // What follows belongs to the command, whatever it looks like.
                    options.words.push(command.into_vec());
                    options.words.extend(parser.raw_args().map_err(wrong)?.map(OsStringExt::into_vec));
                }
                other => return Err(wrong(other.unexpected())),
            }
        }
        Ok(options)
    }
}

/// A conversation with one node.
struct Talk {
    client: Option<Client>,
    address: Address,
    is_formatted: bool,
    /// An answer was an error.
    has_failed: bool,
}

impl Talk {
    fn connect(&mut self) -> Result<(), Failure> {
        let connected = Client::connect(&self.address, None);
        self.client = Some(
            connected.map_err(|error| Failure::io(format!("cannot connect to {}: {error}", self.address)))?,
        );
        Ok(())
    }

    /// Sends a command and shows its answer; answers whether somebody still reads that.
    fn ask(&mut self, words: &[Vec<u8>]) -> Result<Option<Reply>, Failure> {
        if self.client.is_none() {
            self.connect()?;
        }
        let client = self.client.as_mut().expect("it is connected now");
        let reply = client.ask(words).map_err(|error| {
            self.client = None;
            let address = &self.address;
            Failure::io(format!("no answer from {address}, the command may have been done: {error}"))
        })?;
        if words[0].eq_ignore_ascii_case(b"quit") {
            self.client = None;
        }
        self.has_failed |= reply.is_error();
        let is_formatted = self.is_formatted && (!answer_text::is_report(words) || reply.is_error());
        let text = if is_formatted { answer_text::formatted(&reply) } else { answer_text::raw(&reply) };
        Ok(show_bytes(&text)?.then_some(reply))
    }

    /// Commands line by line, until stdin or stdout ends.
    fn read_script(&mut self) -> Result<(), Failure> {
        while let Some(line) = read_line()? {
            match words_of(&line) {
                None => {
                    self.has_failed = true;
                    show("Invalid argument(s)\n")?;
                }
                Some(words) if words.is_empty() => {}
                Some(words) => {
                    if self.ask(&words)?.is_none() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// A prompt for a person; what goes wrong is said and the next line awaited.
    fn converse(&mut self) -> Result<ExitCode, Failure> {
        let place = self.address.to_string();
        let place = place.split_once(':').map_or("", |(_, place)| place).to_owned();
        let mut is_transaction = false;
        loop {
            let state = if self.client.is_none() { "(not connected)" } else { "" };
            let state = if is_transaction { "(TX)" } else { state };
            show(&format!("{place}{state}> "))?;
            let Some(line) = read_line()? else { break };
            let Some(words) = words_of(&line) else {
                show("Invalid argument(s)\n")?;
                continue;
            };
            let Some(command) = words.first().map(|word| word.to_ascii_lowercase()) else { continue };
            match command.as_slice() {
                b"exit" | b"quit" => return Ok(ExitCode::SUCCESS),
                b"help" => drop(show("Any command of Redis, like 'set a 1'; 'exit' ends.\n")?),
                _ => match self.ask(&words) {
                    Ok(Some(reply)) => is_transaction = goes_on(is_transaction, &command, &reply),
                    Ok(None) => break,
                    Err(failure) => {
                        is_transaction = false;
                        show(&format!("Error: {}\n", failure.message))?;
                    }
                },
            }
        }
        // The prompt's line has no end yet.
        show("\n")
    }
}

/// Whether a transaction is under way after a command.
fn goes_on(is_transaction: bool, command: &[u8], reply: &Reply) -> bool {
    match command {
        b"multi" => is_transaction || !reply.is_error(),
        b"exec" | b"discard" | b"reset" => false,
        _ => is_transaction,
    }
}

fn read_line() -> Result<Option<Vec<u8>>, Failure> {
    let mut line = Vec::new();
    let length = io::stdin().lock().read_until(b'\n', &mut line);
    let length = length.map_err(|error| Failure::io(format!("cannot read from stdin: {error}")))?;
    Ok((length > 0).then_some(line))
}

/// The words of a line, quotes and escapes resolved as the server would; `None` if they make no sense.
fn words_of(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    // A blank in front: a line that begins with an asterisk is no request of the other form here.
    let mut bytes = vec![b' '];
    bytes.extend_from_slice(line);
    bytes.push(b'\n');
    let mut parser = RequestParser::new();
    let step = parser.parse(&bytes, &Bounds::default()).ok()?;
    Some(step.request.map_or_else(Vec::new, |request| request.iter().map(<[u8]>::to_vec).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = words_of(line.as_bytes())?;
        Some(words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect())
    }

    #[test]
    fn lines_are_cut_as_in_redis_cli() {
        let cut = |line| words(line).unwrap();
        assert_eq!(cut("set a 1\n"), ["set", "a", "1"]);
        assert_eq!(cut("  set 'a b' \"\\x41\\n\""), ["set", "a b", "A\n"]);
        assert_eq!(cut("*3 x"), ["*3", "x"]);
        assert!(cut("\n").is_empty() && cut("").is_empty() && cut(" \r\n").is_empty());
        assert_eq!(words("set \"a"), None);
        assert_eq!(words("set 'a'b"), None);
    }

    #[test]
    fn options_end_where_the_command_begins() {
        let parse = |line: &str| Options::parse(line.split(' ').map(OsString::from).collect());
        let options = parse("--connect unix:/a --raw decrby --raw -5").unwrap();
        assert_eq!(options.address.to_string(), "unix:/a");
        assert_eq!(options.is_formatted, Some(false));
        assert_eq!(options.words, [&b"decrby"[..], b"--raw", b"-5"]);
        assert!(parse("--connect 7000 ping").is_err());
        assert!(parse("--nonsense").is_err());
        assert_eq!(Options::parse(Vec::new()).unwrap().address.to_string(), ADDRESS_DEFAULT);
    }
}
