//! The rules of the house, run as a test: who may know whom, and how code looks.
//!
//! The sources are read as text. Comments and string literals are blanked first, so only code counts. Test
//! code, which is what follows `#[cfg(test)]` or `#![cfg(test)]`, may do more. Every rule is shown to bite on
//! a planted breach at the end of this file.

use std::fs;
use std::path::{Path, PathBuf};

/// What a part of the tree must not name, and why.
struct Ban {
    /// Paths under `src/` that the ban holds for; all others are free.
    within: &'static [&'static str],
    /// Files it does not hold for.
    except: &'static [&'static str],
    words: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        within: &["raft/", "kv/", "replica.rs", "prng.rs"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "socket2",
            "parking_lot",
            "std::net",
            "std::fs",
            "std::io",
            "std::os",
            "std::thread",
            "std::time",
            "std::env",
            "std::process",
            "use log",
            "println!",
            "eprintln!",
        ],
        why: "what a simulator runs has no clock, socket, file, thread or log of its own",
    },
    Ban {
        within: &["raft/", "kv/", "replica.rs"],
        except: &[],
        words: &["HashMap", "HashSet", "RandomState"],
        why: "replicas and replays must not depend on the order of a hash table",
    },
    Ban { within: &["kv/"], except: &[], words: &["f32", "f64"], why: "rounding must not split replicas" },
    Ban {
        within: &["raft/"],
        except: &[],
        words: &[
            "crate::kv",
            "crate::codec",
            "crate::replica",
            "crate::course",
            "crate::runtime",
            "crate::cli",
            "-> Result<",
            "-> io::Result<",
        ],
        why: "consensus knows nothing around it, and none of its calls can fail",
    },
    Ban {
        within: &["kv/"],
        except: &[],
        words: &["crate::raft", "crate::replica", "crate::course", "crate::runtime", "crate::cli"],
        why: "the state machine does not know how its commands were agreed on",
    },
    Ban {
        within: &["replica.rs"],
        except: &[],
        words: &["crate::codec", "crate::course", "crate::runtime", "crate::cli"],
        why: "a replica does not know its wires and threads",
    },
    Ban {
        within: &["disk/"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "std::net",
            "std::thread",
            "std::time",
            "crate::raft",
            "crate::kv",
            "crate::wal",
            "crate::snapshot",
        ],
        why: "a disk knows files, not what is in them",
    },
    Ban {
        within: &["wal/"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "std::net",
            "std::thread",
            "std::time",
            "crate::kv",
            "crate::snapshot",
            "crate::net",
            "crate::replica",
            "crate::course",
            "crate::runtime",
            "crate::cli",
        ],
        why: "the log knows files and entries, nothing else",
    },
    Ban {
        within: &["snapshot/"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "std::net",
            "std::thread",
            "std::time",
            "crate::kv",
            "crate::codec",
            "crate::wal",
            "crate::net",
            "crate::replica",
            "crate::course",
            "crate::runtime",
            "crate::cli",
        ],
        why: "a snapshot knows its file and its position, not what its blocks mean",
    },
    Ban {
        within: &["resp/"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "std::net",
            "std::thread",
            "std::time",
            "crate::kv",
            "crate::raft",
            "crate::codec",
            "crate::net",
            "crate::load",
            "crate::replica",
            "crate::runtime",
        ],
        why: "a protocol is a function of its bytes",
    },
    Ban {
        within: &["check/"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "socket2",
            "std::net",
            "std::fs",
            "std::io",
            "std::os",
            "std::thread",
            "std::time",
            "std::env",
            "std::process",
            "use log",
            "crate::raft",
            "crate::kv",
            "crate::codec",
            "crate::disk",
            "crate::wal",
            "crate::net",
            "crate::resp",
            "crate::replica",
            "crate::course",
            "crate::server",
            "crate::load",
            "crate::runtime",
            "crate::cli",
        ],
        why: "a verdict is a function of the history, and of nothing else in the house",
    },
    Ban {
        within: &["net/"],
        except: &[],
        words: &[
            "crate::kv",
            "crate::raft",
            "crate::wal",
            "crate::replica",
            "crate::course",
            "crate::runtime",
            "crate::cli",
        ],
        why: "bytes on a wire mean nothing here",
    },
    Ban {
        within: &["load/"],
        except: &[],
        words: &[
            "crossbeam",
            "std::thread",
            "crate::raft",
            "crate::kv",
            "crate::codec",
            "crate::disk",
            "crate::wal",
            "crate::snapshot",
            "crate::replica",
            "crate::course",
            "crate::server",
            "crate::sim",
            "crate::cli",
        ],
        why: "a load generator knows the protocol, and nothing of who is behind it",
    },
    Ban {
        within: &[""],
        except: &["load/alarm.rs", "disk/direct.rs"],
        words: &["rustix"],
        why: "one timer needs it, and one way of writing",
    },
    Ban {
        within: &[""],
        except: &["server/log_seat.rs", "server/log_thread.rs", "server/start.rs"],
        words: &["parking_lot"],
        why: "what two threads of a node share is the log, and nothing else",
    },
    Ban {
        within: &["server/hearing.rs"],
        except: &[],
        words: &["mio::", "std::net", "std::io", "std::thread", "std::time", "Connection"],
        why: "what is said on a line is a function of its bytes",
    },
    Ban {
        within: &["runtime/mailbox.rs"],
        except: &[],
        words: &["std::", "mio::", "crossbeam", "crate::"],
        why: "a test puts other parts in the place of these; see runtime/parts.rs",
    },
    Ban {
        within: &["bounded.rs", "shared_bytes.rs"],
        except: &[],
        words: &["crate::codec", "crate::raft", "crate::kv", "crate::replica", "crate::net", "crate::server"],
        why: "how lists, texts and bytes travel does not depend on what is in them",
    },
    Ban {
        within: &["course/"],
        except: &[],
        words: &["crate::runtime", "std::thread", "crossbeam", "std::time"],
        why: "an adapter does not know on which thread it runs",
    },
    Ban {
        within: &["sim/", "keepers/"],
        except: &[],
        words: &[
            "mio::",
            "crossbeam",
            "socket2",
            "std::net",
            "std::fs",
            "std::os",
            "std::thread",
            "std::time",
            "std::env",
            "std::process",
            "HashMap",
            "HashSet",
            "RandomState",
            "println!",
            "eprintln!",
            "crate::server",
            "crate::course",
            "crate::runtime",
            "crate::cli",
        ],
        why: "a simulated run is a function of its seed: no clock, thread, socket or order of a hash table",
    },
    Ban {
        within: &["keepers/"],
        except: &[],
        words: &["crate::net", "crate::resp", "crate::sim"],
        why: "what a thread does with its files does not know the thread, so that a simulator runs it too",
    },
    Ban { within: &[""], except: &["codec.rs"], words: &["bincode"], why: "only codec.rs names the codec" },
    Ban {
        within: &[""],
        except: &["runtime/clock.rs"],
        words: &["Instant::now", "SystemTime"],
        why: "only runtime/clock.rs reads a clock",
    },
    Ban {
        within: &[""],
        except: &["cli/mod.rs"],
        words: &["println!", "print!", "stdout()"],
        why: "stdout is for results; under a simulator it must stay silent",
    },
    Ban {
        within: &[""],
        except: &[],
        words: &[".unwrap()", "todo!", "unimplemented!", "dbg!", "allow(dead_code)"],
        why: "a panic says what was expected, and nothing half-done lands",
    },
];

const RUST_COLUMNS_MAX: usize = 110;
const PYTHON_COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn nobody_imports_what_is_not_theirs() {
    let breaches: Vec<String> = sources("src", "rs")
        .iter()
        .flat_map(|(path, text)| banned_words(path.strip_prefix("src/").expect("it is under src"), text))
        .collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn every_file_is_in_good_form() {
    let mut breaches = Vec::new();
    for folder in ["src", "bin", "tests", "benches", "fuzz/src", "fuzz/fuzz_targets"] {
        for (path, text) in sources(folder, "rs") {
            breaches.extend(bad_form(&path, &text, RUST_COLUMNS_MAX, "//!"));
        }
    }
    for folder in ["tests/course", "tests/cluster", "tests/clients", "tests/bench", "tests/sim"] {
        for (path, text) in sources(folder, "py") {
            breaches.extend(bad_form(&path, &text, PYTHON_COLUMNS_MAX, "\"\"\""));
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// Every file of a kind below a folder of the repository, with its path there.
fn sources(folder: &str, kind: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(place) = open.pop() {
        let Ok(entries) = fs::read_dir(&place) else { continue };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == kind) {
                let shown = path.strip_prefix(root).expect("it is below the root").display().to_string();
                found.push((shown, fs::read_to_string(&path).expect("a source is text")));
            }
        }
    }
    found
}

fn banned_words(path: &str, text: &str) -> Vec<String> {
    let code = code_of(text);
    let code = code.split("[cfg(test)]").next().unwrap_or_default();
    let mut breaches = Vec::new();
    for ban in BANS {
        if !ban.within.iter().any(|part| path.starts_with(part)) || ban.except.contains(&path) {
            continue;
        }
        for (number, line) in code.lines().enumerate() {
            for word in ban.words.iter().filter(|word| names(line, word)) {
                breaches.push(format!("src/{path}:{}: {word}: {}", number + 1, ban.why));
            }
        }
    }
    breaches
}

/// Whether a line of code names a word, not merely a longer one that contains it.
fn names(line: &str, word: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    line.match_indices(word).any(|(place, _)| {
        let before = line.as_bytes()[..place].last().copied().unwrap_or(b' ');
        let after = line.as_bytes().get(place + word.len()).copied().unwrap_or(b' ');
        let starts = word.as_bytes()[0];
        let ends = word.as_bytes()[word.len() - 1];
        let is_part = (inside(starts) && inside(before)) || (inside(ends) && inside(after));
        !is_part
    })
}

fn bad_form(path: &str, text: &str, columns_max: usize, essay: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    if !text.trim_start().starts_with(essay) && !text.starts_with("#!") {
        breaches.push(format!("{path}:1: a file begins with what it is for"));
    }
    for (number, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", number + 1);
        if line.chars().count() > columns_max {
            breaches.push(format!("{place}: longer than {columns_max} columns"));
        }
        if line.ends_with(' ') || line.contains('\t') {
            breaches.push(format!("{place}: a tab, or blanks at the end"));
        }
        if ["TO", "FIX", "XX"]
            .iter()
            .zip(["DO", "ME", "X"])
            .any(|(head, tail)| line.contains(&(head.to_string() + tail)))
        {
            breaches.push(format!("{place}: what is to be done goes into an issue"));
        }
    }
    breaches.extend(long_functions(path, text));
    breaches
}

/// Functions that do not fit a screen: from a line with `fn` or `def` to the next line that is indented no
/// deeper and closes or follows it.
fn long_functions(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut breaches = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let is_function = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "def "]
            .iter()
            .any(|head| words.starts_with(head));
        if !is_function || line.trim_end().ends_with(';') {
            continue;
        }
        let body = lines[start + 1..].iter().take_while(|next| {
            next.trim().is_empty() || indent(next) > indent(line) || next.trim_start().starts_with([')', '{'])
        });
        let length = body.count() + 1;
        if length > FUNCTION_LINES_MAX {
            breaches.push(format!("{path}:{}: a function of {length} lines", start + 1));
        }
    }
    breaches
}

/// The text with comments and the insides of string literals blanked.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|next| *next != '\n').is_some() {},
            '"' => {
                code.push('"');
                while let Some(inner) = rest.next() {
                    match inner {
                        '\\' => drop(rest.next()),
                        '"' => break,
                        '\n' => code.push('\n'),
                        _ => {}
                    }
                }
                code.push('"');
            }
            '\'' if rest.peek() == Some(&'"') => {
                rest.next();
            }
            other => code.push(other),
        }
    }
    code
}

#[test]
fn a_socket_a_clock_and_a_thread_in_the_core_are_found() {
    for planted in ["use mio::Poll;", "let t = std::time::Instant::now();", "std::thread::spawn(f);"] {
        assert!(!banned_words("raft/node.rs", planted).is_empty(), "{planted}");
        assert!(banned_words("raft/node.rs", &format!("// {planted}")).is_empty(), "only a comment");
    }
    assert!(!banned_words("raft/log.rs", "fn f() -> Result<(), E> {}").is_empty());
    assert!(!banned_words("kv/store.rs", "use std::collections::HashMap;").is_empty());
    assert!(!banned_words("sim/world.rs", "let now = std::time::Instant::now();").is_empty());
    assert!(!banned_words("sim/ghost/mod.rs", "use std::collections::HashMap;").is_empty());
    assert!(!banned_words("load/work.rs", "use crate::server::Node;").is_empty());
    assert!(!banned_words("course/link.rs", "use bincode::config;").is_empty());
    assert!(banned_words("codec.rs", "use bincode::config;").is_empty());
    assert!(banned_words("raft/node.rs", "#[cfg(test)]\nuse mio::Poll;").is_empty(), "test code may");
    assert!(banned_words("raft/node.rs", "use super::log::Log;").is_empty(), "that log is ours");
}

#[test]
fn long_lines_long_functions_and_bare_files_are_found() {
    assert_eq!(bad_form("x.rs", "fn f() {}\n", 110, "//!").len(), 1, "no essay");
    assert_eq!(bad_form("x.rs", &format!("//! x\n{}\n", "x".repeat(111)), 110, "//!").len(), 1);
    let long = format!("//! x\nfn f() {{\n{}}}\n", "    work();\n".repeat(70));
    assert_eq!(bad_form("x.rs", &long, 110, "//!").len(), 1);
    let fits = format!("//! x\nfn f() {{\n{}}}\n", "    work();\n".repeat(69));
    assert_eq!(bad_form("x.rs", &fits, 110, "//!").len(), 0);
}
