//! What `quorate help` says, as a whole and of each command.

use super::settings::{Kind, SETTINGS, Setting};

/// Where the text of a setting begins.
const INDENT: usize = 26;

/// Longest line of the text.
const COLUMNS: usize = 100;

const GENERAL: &str = "\
quorate: a small, linearizable, Raft-replicated key-value store

Usage: quorate <command> [arguments]

Commands:
  serve [OPTIONS]               run one node of a durable cluster that any Redis client can use
  cli [OPTIONS] [WORD...]       send commands to a node, one or many, and show its answers
  status [OPTIONS]              show how the nodes of a cluster are doing
  bench [ADDRESS...] [OPTIONS]  put load on a server of the Redis protocol, and measure it
  sim [OPTIONS]                 run clusters in a simulator that tries to break them
  course [PORT] ID OTHER-ID...  run one replica under a simulator of the networks course
  help [COMMAND]                show this text, or more about a command
  version                       show the version

Try it:
  quorate serve --data /tmp/one --bootstrap &
  quorate cli set greeting hello
  quorate status

Environment:
  QUORATE_LOG        which log lines go to stderr: error, warn, info, debug, off
                     (default: warn for course, info for serve)
  QUORATE_PLACEMENT  for course: fused (one thread) or split (one for the socket, one for the
                     replica); default: split if each replica can have two cores
  QUORATE_...        settings of serve; see 'quorate help serve'

Exit codes: 0 done, 1 an error answered, no leader known or a promise broken (cli, status, sim and
bench), 64 wrong usage, 65 damaged data, 70 fault of this program, 74 input/output error
";

const SERVE_HEAD: &str = "\
quorate serve: run one node of a durable cluster that any Redis client can use

Usage: quorate serve --data DIR [OPTIONS]

One node alone, for a start:
  quorate serve --data /var/lib/quorate --bootstrap

One of three (the same --peers on all of them, --bootstrap at the first start only):
  quorate serve --id 1 --data /var/lib/quorate --client tcp:127.0.0.1:6379 --bootstrap \\
    --peers 1=tcp:10.0.0.1:16379,2=tcp:10.0.0.2:16379,3=tcp:10.0.0.3:16379

Settings:
";

const SERVE_TAIL: &str = "
Options:
  --config FILE           read settings from a TOML file: the same names, as keys
  --check-config          print the effective settings, each with its source, and exit
  --help                  show this text

An ADDRESS is unix:PATH or tcp:HOST:PORT. Lists: repeat the flag, or separate by commas.
A setting is taken from its flag, else from its variable (QUORATE_ and the name in capitals, like
QUORATE_ELECTION_TIMEOUT), else from the file (QUORATE_CONFIG may name it), else from its default.
SIGTERM or SIGINT ends the node. QUORATE_LOG says what is logged (error, warn, info, debug, off).

Exit codes: 0 ended by a signal, 64 wrong usage, 65 damaged data, 70 fault of this program,
74 input/output error
";

const CLI: &str = "\
quorate cli: send commands to a node and show its answers

Usage: quorate cli [OPTIONS] [WORD...]

  quorate cli set greeting hello        one command
  quorate cli < commands.txt            one command per line
  quorate cli                           a prompt, on a terminal

Options:
  --connect ADDRESS  the node: unix:PATH or tcp:HOST:PORT (default: tcp:127.0.0.1:6379)
  --raw              print answers as they are (default when stdout is no terminal)
  --no-raw           print answers with their types (default on a terminal)
  --help             show this text

In lines, \"double quotes\" may hold \\n, \\r, \\t, \\a, \\b and \\xHH; in 'single quotes' everything stays
as it is.

Exit codes: 0 done, 1 an answer was an error, 64 wrong usage, 74 no connection or lost it
";

const STATUS: &str = "\
quorate status: show how the nodes of a cluster are doing

Usage: quorate status [--connect ADDRESS,ADDRESS,...] [--watch]

Options:
  --connect ADDRESS,...  the nodes' client addresses; may be repeated (default: tcp:127.0.0.1:6379)
  --watch                again every second, until it is interrupted
  --help                 show this text

Columns: role and term of each node; its commit index and how far that is behind the leader's; keys
in the store; whether its log has room; its memory.

Exit codes: 0 a leader is known, 1 none is, 64 wrong usage
";

const SIM: &str = "\
quorate sim: run clusters in a simulator that tries to break them

Usage: quorate sim [--seed N] [--seeds COUNT] [OPTIONS]

The nodes are real; network, disks, clocks and clients are simulated, and everything goes wrong that
the seed draws. After every event the cluster is held to its promises, and when the faults stop it
must come to rest. Equal arguments give equal runs; every hundredth seed is run twice to prove it.

Which runs:
  --seed N        the first seed (default: any)
  --seeds COUNT   how many, one after the other (default: 100, or 1 with --seed)

What is in them (default: what the seed draws):
  --nodes N       so many nodes, 1 to 7
  --clients N     so many clients, 1 to 100
  --operations N  the clients ask for so many things at most
  --events N      the trouble lasts for so many events
  --faults A,B    only these kinds of trouble, or none: crash, crash-all, pause, slow, split,
                  isolate, bridge, flap, clog, fail-disk, fill-disk, rot, hand-over, jump-clock,
                  lose, double, late, damage, stray, skew, stall, break-recovery
  --strikes A,B-C only these strikes of trouble, counted from 0, or none
  --planted NAME  plant a fault that is to be found, such as forget-vote or lying-disk
  --defused       all that helps to find that fault, but not the fault

What is shown:
  --lines N       how much of the trace of a violation (default: 60)
  --json          one line for programs
  --shrink        look for a smaller run that fails in the same way, and show that
  --attempts N    how many runs --shrink makes at most (default: 600)
  --help          this text

Exit codes: 0 every seed is clean, 1 a promise was broken, 64 wrong usage, 70 a node stopped itself
";

const BENCH: &str = "\
quorate bench: put load on a server of the Redis protocol, and measure it

Usage: quorate bench [ADDRESS...] [OPTIONS]

  quorate bench unix:/run/a.sock --mix set=1,get=9 --keys 1000000 --fill
  quorate bench 127.0.0.1:6379 --pipeline 64 --requests 1000000 --json
  quorate bench 127.0.0.1:6379 --rate 20000 --seconds 60 --warmup 5
  quorate bench 10.0.0.1:6379 10.0.0.2:6379 10.0.0.3:6379 --mix set,get --check

Connections are spread over the addresses (default: tcp:127.0.0.1:6379; an ADDRESS is unix:PATH or
tcp:HOST:PORT).

What is asked:
  --mix KIND=WEIGHT,...   set, get, incr, ping, and how often each (default: set=1)
  --keys N                so many keys (default: 100000)
  --distribution NAME     uniform, sequential, zipf or zipf:THETA (default: uniform)
  --value BYTES|LOW-HIGH  length of values (default: 32)
  --fill                  write every key once before
  --seed N                what is drawn (default: 1)

How:
  --clients N             connections (default: 50)
  --pipeline N            requests on a connection before it waits for their answers (default: 1)
  --rate N                N requests a second, each at its time, latencies counted from that time;
                          without it a connection asks again when it has its answers
  --warmup SECONDS        nothing counts before (default: 0)
  --seconds SECONDS       how long it is measured (default: 10)
  --requests N            or for how many requests
  --check                 remember everything and check whether the answers are linearizable

What is shown:
  --json                  the result for programs
  --interval SECONDS      a line about the progress on stderr, so often (default: every second if
                          that is a terminal)
  --help                  show this text

Ctrl-C ends the measurement; what has been measured is shown.

Exit codes: 0 done, 1 a check found a violation or could not decide, 64 wrong usage,
74 no connection
";

const COURSE: &str = "\
quorate course: run one replica under a simulator of the networks course

Usage: quorate course [PORT] ID OTHER-ID...

With PORT it speaks UDP to the simulator at that port of this machine; without, it looks for a
socket file in the working directory that is named like the replica. Simulators start
bin/3700kvstore, which starts this.
";

/// The text about everything, or about one command.
pub(super) fn text(command: Option<&str>) -> Option<String> {
    Some(match command {
        None => GENERAL.to_owned(),
        Some("serve") => serve(),
        Some("cli") => CLI.to_owned(),
        Some("status") => STATUS.to_owned(),
        Some("bench") => BENCH.to_owned(),
        Some("sim") => SIM.to_owned(),
        Some("course") => COURSE.to_owned(),
        Some(_) => return None,
    })
}

fn serve() -> String {
    let settings: String = SETTINGS.iter().map(describe).collect();
    format!("{SERVE_HEAD}{settings}{SERVE_TAIL}")
}

/// A setting in the help text: its flag, then what it means, wrapped.
fn describe(setting: &Setting) -> String {
    let flag = format!("  --{} {}", setting.name, setting.placeholder);
    let default = if setting.kind == Kind::Switch {
        String::new()
    } else {
        format!(" ({}; default: {})", setting.range, setting.default)
    };
    let mut text = if flag.len() + 2 > INDENT { format!("{flag}\n") } else { format!("{flag:INDENT$}") };
    let mut column = if text.ends_with('\n') { 0 } else { INDENT };
    for word in format!("{}{default}", setting.meaning).split(' ') {
        if column == 0 {
            text.push_str(&" ".repeat(INDENT));
            column = INDENT;
        } else if column > INDENT && column + 1 + word.len() > COLUMNS {
            text.push_str(&format!("\n{}", " ".repeat(INDENT)));
            column = INDENT;
        } else if column > INDENT {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_fits_a_terminal_and_names_its_command() {
        for command in ["serve", "cli", "status", "bench", "sim", "course"] {
            let text = text(Some(command)).unwrap();
            assert!(text.starts_with(&format!("quorate {command}: ")), "{text}");
            assert!(GENERAL.contains(&format!("\n  {command} ")));
        }
        for command in ["", "serve", "cli", "status", "bench", "sim", "course"] {
            let command = Some(command).filter(|command| !command.is_empty());
            for line in text(command).unwrap().lines() {
                assert!(line.chars().count() <= COLUMNS, "{line}");
                assert!(!line.ends_with(' '), "{line:?}");
            }
        }
    }

    #[test]
    fn every_setting_is_described() {
        let text = serve();
        for setting in SETTINGS {
            assert!(
                text.contains(
                    &format!("\n  --{} {}", setting.name, setting.placeholder).trim_end().to_owned()
                )
            );
        }
        assert!(super::text(Some("nothing")).is_none());
    }
}
