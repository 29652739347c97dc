//! What COMMAND and its subcommands answer: the table, to whoever asks for it.
//!
//! Tools ask for it when they connect: redis-cli for its completion, cluster clients for the places of
//! keys. The form is that of Redis 7, in which an answer tells a command's name, arity, flags, first key,
//! last key, step, access categories, tips, key specifications and subcommands.
//!
//! Differences: the rows come in the order of the table, in Redis in none; HELP is in our words; COMMAND
//! GETKEYS takes a request of one word, as newer versions do, where 7.0 finds too few arguments; COMMAND
//! GETKEYSANDFLAGS tells of SET what it may do with its key, whatever its options.
//!
//! Missing: tips, and in COMMAND DOCS the descriptions of arguments.

use super::command_table::{
    CATEGORY_NAMES, Categories, CommandSpec, FLAG_NAMES, KeyUse, Keys, find_any_arity, find_name,
};
use super::commands::{COMMANDS, Verb};
use super::number;
use super::reply::ReplyWriter;
use super::request::Request;

const HELP: [&str; 15] = [
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand)",
    "    Tells all about every command.",
    "COUNT",
    "    Tells how many commands there are.",
    "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
    "    Tells the names of commands.",
    "INFO [<command-name> ...]",
    "    Tells all about these commands, or about every command.",
    "DOCS [<command-name> ...]",
    "    Tells what these commands are for, or what every command is for.",
    "GETKEYS <full-command>",
    "    Tells which words of a command are keys.",
    "GETKEYSANDFLAGS <full-command>",
    "    Tells which words of a command are keys, and what it does with them.",
];

/// Answers `request`, which [`find`](super::find) has found to be `verb`: COMMAND or one of its subcommands.
/// Tells whether it was one.
pub fn write_command_reply(verb: Verb, request: Request<'_>, writer: &mut ReplyWriter<'_>) -> bool {
    match verb {
        Verb::Command => write_all(writer),
        Verb::CommandCount => writer.integer(i64::try_from(top_level().count()).unwrap_or(i64::MAX)),
        Verb::CommandInfo if request.len() == 2 => write_all(writer),
        Verb::CommandInfo => {
            writer.array(request.len() - 2);
            for name in request.iter().skip(2) {
                match find_name(name) {
                    Some(spec) => write_info(spec, writer),
                    None => writer.null(),
                }
            }
        }
        Verb::CommandDocs => write_docs(request, writer),
        Verb::CommandList => write_list(request, writer),
        Verb::CommandGetkeys => write_keys(request, false, writer),
        Verb::CommandGetkeysandflags => write_keys(request, true, writer),
        Verb::CommandHelp => {
            writer.array(HELP.len() + 2);
            for line in HELP.into_iter().chain(["HELP", "    Tells this."]) {
                writer.simple(line);
            }
        }
        _ => return false,
    }
    true
}

fn top_level() -> impl Iterator<Item = &'static CommandSpec> {
    COMMANDS.iter().filter(|spec| spec.is_top_level)
}

fn write_all(writer: &mut ReplyWriter<'_>) {
    writer.array(top_level().count());
    for spec in top_level() {
        write_info(spec, writer);
    }
}

fn write_info(spec: &CommandSpec, writer: &mut ReplyWriter<'_>) {
    let (first, last, step) = spec.keys.range();
    writer.array(10);
    writer.bulk(spec.name.as_bytes());
    writer.integer(spec.arity);
    let flags = || FLAG_NAMES.iter().filter(|(flag, _)| spec.flags.has(*flag));
    writer.set(flags().count());
    for (_, name) in flags() {
        writer.simple(name);
    }
    writer.integer(first);
    writer.integer(last);
    writer.integer(step);
    let categories = || CATEGORY_NAMES.iter().filter(|(category, _)| spec.categories().has(*category));
    writer.set(categories().count());
    for (_, name) in categories() {
        writer.simple(&format!("@{name}"));
    }
    writer.set(0);
    write_key_specs(spec.keys, writer);
    writer.set(spec.subcommands().len());
    for subcommand in spec.subcommands() {
        write_info(subcommand, writer);
    }
}

fn write_key_specs(keys: Keys, writer: &mut ReplyWriter<'_>) {
    match keys {
        Keys::None => writer.set(0),
        Keys::One(usage) => write_key_ranges(&[(usage, 0, 1)], writer),
        Keys::All(usage) => write_key_ranges(&[(usage, -1, 1)], writer),
        Keys::Pairs(usage) => write_key_ranges(&[(usage, -1, 2)], writer),
        Keys::Two(first, second) => write_key_ranges(&[(first, 0, 1), (second, 0, 1)], writer),
        Keys::Counted(usage) => {
            writer.set(1);
            write_key_spec_head(usage, 1, writer);
            write_search("keynum", &[("keynumidx", 0), ("firstkey", 1), ("keystep", 2)], writer);
        }
    }
}

/// Writes specifications that begin at the first word, the second, ...: the use, the last key as seen from
/// the first, and the step.
fn write_key_ranges(ranges: &[(KeyUse, i64, i64)], writer: &mut ReplyWriter<'_>) {
    writer.set(ranges.len());
    for (index, (usage, last, step)) in (1..).zip(ranges) {
        write_key_spec_head(usage, index, writer);
        write_search("range", &[("lastkey", *last), ("keystep", *step), ("limit", 0)], writer);
    }
}

/// Writes a specification up to the way to find the keys, which has to follow.
fn write_key_spec_head(usage: KeyUse, index: i64, writer: &mut ReplyWriter<'_>) {
    writer.map(3);
    writer.bulk(b"flags");
    write_usage(usage, writer);
    writer.bulk(b"begin_search");
    write_search("index", &[("index", index)], writer);
    writer.bulk(b"find_keys");
}

fn write_search(kind: &str, spec: &[(&str, i64)], writer: &mut ReplyWriter<'_>) {
    writer.map(2);
    writer.bulk(b"type");
    writer.bulk(kind.as_bytes());
    writer.bulk(b"spec");
    writer.map(spec.len());
    for (name, number) in spec {
        writer.bulk(name.as_bytes());
        writer.integer(*number);
    }
}

fn write_usage(usage: KeyUse, writer: &mut ReplyWriter<'_>) {
    writer.set(usage.len());
    for word in usage {
        writer.simple(word);
    }
}

fn write_docs(request: Request<'_>, writer: &mut ReplyWriter<'_>) {
    if request.len() == 2 {
        writer.map(top_level().count());
        for spec in top_level() {
            write_doc(spec, writer);
        }
        return;
    }
    let known = || request.iter().skip(2).filter_map(find_name);
    writer.map(known().count());
    for spec in known() {
        write_doc(spec, writer);
    }
}

fn write_doc(spec: &CommandSpec, writer: &mut ReplyWriter<'_>) {
    let subcommands = spec.subcommands();
    let texts = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group),
        ("complexity", spec.complexity),
    ];
    writer.bulk(spec.name.as_bytes());
    writer.map(texts.len() + usize::from(!subcommands.is_empty()));
    for (name, text) in texts {
        writer.bulk(name.as_bytes());
        writer.bulk(text.as_bytes());
    }
    if !subcommands.is_empty() {
        writer.bulk(b"subcommands");
        writer.map(subcommands.len());
        for subcommand in subcommands {
            write_doc(subcommand, writer);
        }
    }
}

/// Which commands COMMAND LIST names.
enum Filter<'a> {
    All,
    Nothing,
    Category(Categories),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    /// The filter that a request asks for; `None` if it makes no sense.
    fn of(request: Request<'_>) -> Option<Filter<'_>> {
        let mut words = request.iter().skip(2);
        let Some(filter_by) = words.next() else { return Some(Filter::All) };
        let (kind, argument) = (words.next()?, words.next()?);
        if words.next().is_some() || !filter_by.eq_ignore_ascii_case(b"filterby") {
            return None;
        }
        if kind.eq_ignore_ascii_case(b"module") {
            Some(Filter::Nothing)
        } else if kind.eq_ignore_ascii_case(b"aclcat") {
            let known =
                CATEGORY_NAMES.iter().find(|(_, name)| argument.eq_ignore_ascii_case(name.as_bytes()));
            Some(known.map_or(Filter::Nothing, |(category, _)| Filter::Category(*category)))
        } else if kind.eq_ignore_ascii_case(b"pattern") {
            Some(Filter::Pattern(argument))
        } else {
            None
        }
    }

    fn lets_pass(&self, spec: &CommandSpec) -> bool {
        match self {
            Filter::All => true,
            Filter::Nothing => false,
            Filter::Category(category) => spec.categories().has(*category),
            Filter::Pattern(pattern) => number::matches_ignoring_case(pattern, spec.name.as_bytes()),
        }
    }
}

fn write_list(request: Request<'_>, writer: &mut ReplyWriter<'_>) {
    let Some(filter) = Filter::of(request) else { return writer.error("ERR syntax error") };
    let listed = || COMMANDS.iter().filter(|spec| filter.lets_pass(spec));
    writer.array(listed().count());
    for spec in listed() {
        writer.bulk(spec.name.as_bytes());
    }
}

fn write_keys(request: Request<'_>, with_usage: bool, writer: &mut ReplyWriter<'_>) {
    let nested = request.nested(2).and_then(|nested| Some((find_any_arity(nested).ok()?, nested)));
    let Some((spec, nested)) = nested else { return writer.error("ERR Invalid command specified") };
    if spec.keys == Keys::None {
        return writer.error("ERR The command has no key arguments");
    }
    if !spec.takes(nested.len()) {
        return writer.error("ERR Invalid number of arguments specified for command");
    }
    let Some(keys) = spec.keys.of(nested) else {
        return writer.error("ERR Invalid arguments specified for command");
    };
    let keys: Vec<_> = keys.collect();
    writer.array(keys.len());
    for (key, usage) in keys {
        if with_usage {
            writer.array(2);
        }
        writer.bulk(key);
        if with_usage {
            write_usage(usage, writer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command_table::find;
    use super::super::reply::Protocol;
    use super::super::request::OwnedRequest;
    use super::*;

    /// The answer to a request of words without blanks, line ends as spaces.
    fn answer(protocol: Protocol, line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let request = OwnedRequest::new(&words).unwrap();
        let mut buffer = Vec::new();
        let spec = find(request.view()).unwrap();
        let mut writer = ReplyWriter::new(&mut buffer, protocol);
        assert!(write_command_reply(spec.verb, request.view(), &mut writer));
        String::from_utf8(buffer).unwrap().replace("\r\n", " ")
    }

    fn older(line: &str) -> String {
        answer(Protocol::Resp2, line)
    }

    #[test]
    fn a_command_is_told_in_the_form_of_redis() {
        let spec = "$5 flags *2 +RO +access $12 begin_search *4 $4 type $5 index $4 spec *2 $5 index :1 \
                    $9 find_keys *4 $4 type $5 range $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 limit :0";
        let head = "*10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast";
        assert_eq!(older("COMMAND INFO GET nope"), format!("*2 {head} *0 *1 *6 {spec} *0 $-1 "));
        let newer = answer(Protocol::Resp3, "command info get nope");
        let spec = spec.replace("flags *2", "flags ~2").replace("find_keys *4", "find_keys %2");
        let spec = spec.replace("begin_search *4", "begin_search %2").replace("spec *2", "spec %1");
        let (spec, head) = (spec.replace("spec *6", "spec %3"), head.replace(" *", " ~"));
        assert_eq!(newer, format!("*2 {head} ~0 ~1 %3 {spec} ~0 _ "));
        assert!(
            older("COMMAND INFO config|get").starts_with("*1 *10 $10 config|get :-3 *4 +admin +noscript")
        );
    }

    #[test]
    fn all_commands_are_told_and_counted() {
        let count = older("COMMAND COUNT");
        assert_eq!(count, format!(":{} ", top_level().count()));
        let listed = COMMANDS.len();
        assert!(older("COMMAND").starts_with(&count.replace(':', "*")));
        assert_eq!(older("COMMAND"), older("COMMAND INFO"));
        assert!(older("COMMAND LIST").starts_with(&format!("*{listed} $5 hello ")));
        assert!(answer(Protocol::Resp3, "COMMAND DOCS").starts_with(&count.replace(':', "%")));
        assert!(older("COMMAND HELP").starts_with("*17 +COMMAND <subcommand>"));
    }

    #[test]
    fn lists_are_filtered() {
        assert_eq!(older("COMMAND LIST FILTERBY PATTERN GET[ER]*"), "*2 $5 getex $8 getrange ");
        assert_eq!(
            older("COMMAND LIST filterby aclcat TRANSACTION"),
            "*5 $5 multi $4 exec $7 discard $5 watch $7 unwatch "
        );
        for nothing in ["MODULE x", "ACLCAT nope", "ACLCAT @transaction", "PATTERN x"] {
            assert_eq!(older(&format!("COMMAND LIST FILTERBY {nothing}")), "*0 ");
        }
        for wrong in
            ["x", "FILTERBY", "FILTERBY PATTERN", "FILTERBY FOO x", "FILTERBY PATTERN a b", "BY PATTERN a"]
        {
            assert_eq!(older(&format!("COMMAND LIST {wrong}")), "-ERR syntax error ");
        }
    }

    #[test]
    fn docs_are_told_for_what_is_known() {
        assert_eq!(answer(Protocol::Resp3, "COMMAND DOCS nope"), "%0 ");
        let text = answer(Protocol::Resp3, "COMMAND DOCS nope GET slowlog|len");
        assert!(text.starts_with("%2 $3 get %4 $7 summary $"), "{text}");
        assert!(
            text.contains("$5 since $5 1.0.0 $5 group $6 string $10 complexity $4 O(1) $11 slowlog|len %4")
        );
        let text = older("COMMAND DOCS slowlog");
        assert!(text.contains("$11 subcommands *8 $11 slowlog|get *8 "), "{text}");
    }

    #[test]
    fn keys_are_picked_out() {
        let keys = |request: &str| older(&format!("COMMAND GETKEYS {request}"));
        assert_eq!(keys("get a"), "*1 $1 a ");
        assert_eq!(keys("MSET a 1 b"), "*2 $1 a $1 b ");
        assert_eq!(keys("msetex 2 a 1 b 2"), "*2 $1 a $1 b ");
        assert_eq!(keys("nope a"), "-ERR Invalid command specified ");
        assert_eq!(keys("config nope a"), "-ERR Invalid command specified ");
        assert_eq!(keys("config|get a"), "-ERR Invalid command specified ");
        assert_eq!(keys("config get a"), "-ERR The command has no key arguments ");
        assert_eq!(keys("get a b"), "-ERR Invalid number of arguments specified for command ");
        assert_eq!(keys("msetex 9 a 1"), "-ERR Invalid arguments specified for command ");
        assert_eq!(
            older("COMMAND GETKEYSANDFLAGS rename a b"),
            "*2 *2 $1 a *3 +RW +access +delete *2 $1 b *2 +OW +update "
        );
    }

    #[test]
    fn other_commands_are_left_to_others() {
        let request = OwnedRequest::new(&["ping"]).unwrap();
        let mut buffer = Vec::new();
        let mut writer = ReplyWriter::new(&mut buffer, Protocol::Resp2);
        assert!(!write_command_reply(Verb::Ping, request.view(), &mut writer));
        assert!(buffer.is_empty());
    }
}
