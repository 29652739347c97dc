//! Answers as people and scripts know them from redis-cli.
//!
//! Two forms. *Formatted*, for a terminal, shows types and quotes texts. *Raw*, for a pipe, shows texts as
//! they are, one line for each element, and a blank line after an error, as redis-cli does.

use super::client::Reply;

/// The formatted form, with a line end.
pub(super) fn formatted(reply: &Reply) -> Vec<u8> {
    let mut text = Vec::new();
    write(reply, 0, &mut text);
    text
}

/// The raw form, with a line end.
pub(super) fn raw(reply: &Reply) -> Vec<u8> {
    let mut text = Vec::new();
    write_raw(reply, &mut text);
    text.push(b'\n');
    text
}

/// Whether a command answers with a text of several lines, which is shown as it is on a terminal too.
pub(super) fn is_report(words: &[Vec<u8>]) -> bool {
    let is = |place: usize, name: &str| {
        words.get(place).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let either = |names: &[&str]| names.iter().any(|name| is(1, name));
    is(0, "info")
        || (is(0, "cluster") && either(&["info", "nodes"]))
        || (is(0, "client") && either(&["info", "list"]))
        || (is(0, "latency") && either(&["doctor", "graph"]))
}

fn write(reply: &Reply, indent: usize, text: &mut Vec<u8>) {
    match reply {
        Reply::Status(status) => text.extend_from_slice(status),
        Reply::Error(error) => {
            text.extend_from_slice(b"(error) ");
            text.extend_from_slice(error);
        }
        Reply::Integer(number) => text.extend_from_slice(format!("(integer) {number}").as_bytes()),
        Reply::Bulk(bytes) => quote(bytes, text),
        Reply::Nil => text.extend_from_slice(b"(nil)"),
        Reply::Array(elements) if elements.is_empty() => text.extend_from_slice(b"(empty array)"),
        Reply::Array(elements) => return write_array(elements, indent, text),
    }
    text.push(b'\n');
}

fn write_array(elements: &[Reply], indent: usize, text: &mut Vec<u8>) {
    let width = elements.len().to_string().len();
    for (place, element) in elements.iter().enumerate() {
        // The first stands behind the number of the list that it is in.
        let before = if place == 0 { 0 } else { indent };
        text.extend_from_slice(format!("{:before$}{:width$}) ", "", place + 1).as_bytes());
        write(element, indent + width + 2, text);
    }
}

/// A text in quotes, everything but plain characters escaped.
fn quote(bytes: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            b'\t' => text.extend_from_slice(b"\\t"),
            7 => text.extend_from_slice(b"\\a"),
            8 => text.extend_from_slice(b"\\b"),
            b' '..=b'~' => text.push(*byte),
            other => text.extend_from_slice(format!("\\x{other:02x}").as_bytes()),
        }
    }
    text.push(b'"');
}

fn write_raw(reply: &Reply, text: &mut Vec<u8>) {
    match reply {
        Reply::Status(bytes) | Reply::Bulk(bytes) => text.extend_from_slice(bytes),
        Reply::Error(error) => {
            text.extend_from_slice(error);
            text.push(b'\n');
        }
        Reply::Integer(number) => text.extend_from_slice(number.to_string().as_bytes()),
        Reply::Nil => {}
        Reply::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    text.push(b'\n');
                }
                write_raw(element, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Reply {
        Reply::Bulk(text.as_bytes().to_vec())
    }

    fn shown(reply: &Reply) -> String {
        String::from_utf8(formatted(reply)).unwrap()
    }

    #[test]
    fn answers_are_formatted_as_by_redis_cli() {
        assert_eq!(shown(&Reply::Status(b"OK".to_vec())), "OK\n");
        assert_eq!(shown(&Reply::Error(b"ERR no".to_vec())), "(error) ERR no\n");
        assert_eq!(shown(&Reply::Integer(-1)), "(integer) -1\n");
        assert_eq!(shown(&Reply::Nil), "(nil)\n");
        assert_eq!(shown(&Reply::Array(Vec::new())), "(empty array)\n");
        let odd = Reply::Bulk(b"a\"\\\n\r\t\x07\x08\x00\xff ~".to_vec());
        assert_eq!(shown(&odd), "\"a\\\"\\\\\\n\\r\\t\\a\\b\\x00\\xff ~\"\n");
        let inner = Reply::Array(vec![bulk("x"), Reply::Array(vec![Reply::Nil, bulk("z")])]);
        let list = Reply::Array(vec![Reply::Integer(1), inner, bulk("y")]);
        let wanted = "1) (integer) 1\n2) 1) \"x\"\n   2) 1) (nil)\n      2) \"z\"\n3) \"y\"\n";
        assert_eq!(shown(&list), wanted);
        let ten = shown(&Reply::Array((0..10).map(Reply::Integer).collect()));
        assert!(ten.starts_with(" 1) (integer) 0\n 2) ") && ten.ends_with("\n10) (integer) 9\n"), "{ten}");
    }

    #[test]
    fn raw_answers_are_what_was_stored() {
        assert_eq!(raw(&Reply::Bulk(vec![0, 255, b'"'])), [0, 255, b'"', b'\n']);
        assert_eq!(raw(&Reply::Nil), b"\n");
        assert_eq!(raw(&Reply::Error(b"ERR no".to_vec())), b"ERR no\n\n");
        let list =
            Reply::Array(vec![bulk("a"), Reply::Nil, Reply::Array(vec![Reply::Integer(1), bulk("b")])]);
        assert_eq!(raw(&list), b"a\n\n1\nb\n");
    }

    #[test]
    fn reports_are_known_by_their_command() {
        let is =
            |line: &str| is_report(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
        assert!(is("INFO server") && is("cluster NODES") && is("client list"));
        assert!(!is("get info") && !is("cluster slots") && !is("client id"));
    }
}
