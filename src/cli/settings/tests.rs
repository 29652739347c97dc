//! Who wins, what is refused and how, and that what is shown can be read again.

#![cfg(test)]

use std::ffi::OsString;

use super::super::EXIT_USAGE;
use super::*;

/// A file of settings of one test, removed with it.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = std::env::temp_dir().join(format!("quorate-{name}-{}.toml", std::process::id()));
        fs::write(&path, text).expect("a temporary file can be written");
        File(path)
    }

    fn flag(&self) -> String {
        format!("--config={}", self.0.display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn read_with(line: &str, variables: &[(&str, &str)]) -> Result<Wish, Failure> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    read(&words, variables)
}

fn settings_with(line: &str, variables: &[(&str, &str)]) -> Settings {
    match read_with(line, variables) {
        Ok(Wish::Serve(settings)) => *settings,
        other => panic!("{line}: {other:?}"),
    }
}

fn settings(line: &str) -> Settings {
    settings_with(line, &[])
}

fn refusal_with(line: &str, variables: &[(&str, &str)]) -> String {
    let failure = read_with(line, variables).expect_err(line);
    assert_eq!(failure.code, EXIT_USAGE, "{}", failure.message);
    assert!(!failure.message.contains('\n'), "one sentence: {}", failure.message);
    failure.message
}

fn refusal(line: &str) -> String {
    refusal_with(line, &[])
}

#[test]
fn a_node_alone_needs_a_directory_and_nothing_else() {
    let settings = settings("--data d");
    assert_eq!(settings.id, NodeId(1));
    assert_eq!(settings.client, [fixed("tcp:127.0.0.1:6379")]);
    assert_eq!(settings.peer, [fixed("tcp:127.0.0.1:16379")]);
    assert_eq!(settings.peers, [(NodeId(1), fixed("tcp:127.0.0.1:16379"))]);
    assert_eq!(settings.cluster, "quorate");
    assert_eq!(settings.election_timeout, Span::milliseconds(1_000));
    assert_eq!(settings.heartbeat, Span::milliseconds(100));
    assert_eq!(settings.snapshot_bytes, super::memory::snapshot_bytes());
    assert_eq!(settings.value_bytes_max, VALUE_BYTES_MAX);
    assert_eq!(settings.placement, Placement::Split);
    assert!(!settings.bootstrap && !settings.join && !settings.leases);
}

#[test]
fn all_flags_are_read() {
    let line = "--id 2 --data d --client unix:/c --client tcp:127.0.0.1:7 --peer unix:/p --peer=unix:/q \
                --peers 3=unix:/z,2=unix:/y,1=unix:/x --cluster red --bootstrap --election-timeout 300 \
                --heartbeat 100 --snapshot-bytes 2m --value-bytes-max 300k --placement split --leases";
    let settings = settings(line);
    assert_eq!(settings.id, NodeId(2));
    assert_eq!(settings.client, [fixed("unix:/c"), fixed("tcp:127.0.0.1:7")]);
    assert_eq!(settings.peer, [fixed("unix:/p"), fixed("unix:/q")]);
    let ids: Vec<u16> = settings.peers.iter().map(|(id, _)| id.0).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!((settings.snapshot_bytes, settings.value_bytes_max), (2 << 20, 300 << 10));
    assert_eq!(settings.placement, Placement::Split);
    assert!(settings.bootstrap && settings.leases);
    assert_eq!(settings.heartbeat, Span::milliseconds(100));
}

#[test]
fn a_node_listens_where_the_others_look_for_it() {
    let line = "--data d --id 2 --peers 1=unix:/x,2=unix:/y";
    assert_eq!(settings(line).peer, [fixed("unix:/y")]);
    assert_eq!(settings(&format!("{line} --peer unix:/w")).peer, [fixed("unix:/w")]);
}

#[test]
fn flag_over_variable_over_file_over_default() {
    let file =
        File::new("precedence", "id = 3\ncluster = 'file'\nclient = ['unix:/f', 'unix:/g']\ndata = 'f'");
    let lower = settings(&file.flag());
    assert_eq!((lower.id, lower.cluster.as_str()), (NodeId(3), "file"));
    assert_eq!(lower.client.len(), 2);
    let variables = [("QUORATE_CLUSTER", "variable"), ("QUORATE_CLIENT", "unix:/v, unix:/w"), ("PATH", "x")];
    let middle = settings_with(&file.flag(), &variables);
    assert_eq!((middle.id, middle.cluster.as_str()), (NodeId(3), "variable"));
    assert_eq!(middle.client, [fixed("unix:/v"), fixed("unix:/w")]);
    let upper = settings_with(&format!("{} --cluster flag --client unix:/h", file.flag()), &variables);
    assert_eq!((upper.id, upper.cluster.as_str()), (NodeId(3), "flag"));
    assert_eq!(upper.client, [fixed("unix:/h")]);
}

#[test]
fn a_switch_can_be_taken_back() {
    let file = File::new("switch", "data = 'd'\nleases = true\nbootstrap = true");
    assert!(settings(&file.flag()).leases);
    assert!(!settings_with(&file.flag(), &[("QUORATE_LEASES", "false")]).leases);
    let back = settings_with(&format!("{} --leases", file.flag()), &[("QUORATE_LEASES", "false")]);
    assert!(back.leases && back.bootstrap);
    assert!(!settings(&format!("{} --bootstrap=false", file.flag())).bootstrap);
}

#[test]
fn a_variable_may_name_the_file_and_a_flag_another() {
    let file = File::new("named", "data = 'named'");
    let other = File::new("other", "data = 'other'");
    let path = file.0.display().to_string();
    let variables = [("QUORATE_CONFIG", path.as_str()), ("QUORATE_LOG", "debug")];
    assert_eq!(settings_with("", &variables).data, PathBuf::from("named"));
    assert_eq!(settings_with(&other.flag(), &variables).data, PathBuf::from("other"));
    let failure = read_with("--config /nowhere.toml", &[]).unwrap_err();
    assert_eq!(i32::from(failure.code), super::super::EXIT_IO);
    assert!(failure.message.contains("/nowhere.toml"), "{}", failure.message);
}

#[test]
fn a_refusal_names_setting_value_range_and_source() {
    let message = refusal("--data d --election-timeout 5");
    let wanted = "election-timeout is \"5\", must be a whole number of milliseconds from 50 to 60000; \
                  set by flag --election-timeout";
    assert!(message.starts_with(wanted), "{message}");
    let message = refusal_with("--data d", &[("QUORATE_ID", "65535")]);
    let wanted = "id is \"65535\", must be a whole number from 0 to 65534; set by variable QUORATE_ID";
    assert!(message.starts_with(wanted), "{message}");
    let file = File::new("source", "data = 'd'\n\nplacement = 'left'\n");
    let message = refusal(&file.flag());
    let wanted =
        format!("placement is \"left\", must be fused or split; set by file {}, line 3", file.0.display());
    assert!(message.starts_with(&wanted), "{message}");
    let message = refusal("--data d --value-bytes-max 1025k");
    assert!(message.starts_with("value-bytes-max is \"1025k\", must be a number of bytes"), "{message}");
    assert!(message.contains("to 1048576 (1m), which this program was built for"), "{message}");
    let message = refusal("--data d --heartbeat 400");
    assert!(message.contains("a third of election-timeout is 333"), "{message}");
}

#[test]
fn values_out_of_range_are_refused() {
    let long = "x".repeat(108);
    for (line, part) in [
        ("", "data is not set"),
        ("--data=", "data is \"\""),
        ("--data d --id -1", "id is \"-1\""),
        ("--data d --id +1", "id is \"+1\""),
        ("--data d --id 99999999999999999999", "id is"),
        ("--data d --peers 1=unix:/x", "id is not set"),
        ("--data d --id 2 --peers 1=unix:/x", "must be a list with an entry of node 2"),
        ("--data d --id 1 --peers 1=unix:/x,1=unix:/y", "peers is \"1=unix:/y\""),
        ("--data d --id 1 --peers 1=unix:/x,unix:/y", "peers is \"unix:/y\""),
        ("--data d --id 1 --peers 1=unix:/x,2=", "peers is \"\""),
        ("--data d --id 1 --peers=", "peers is \"\""),
        ("--data d --client 7000", "client is \"7000\", must be an address"),
        ("--data d --client unix:", "1 to 107 bytes"),
        (&format!("--data d --peer unix:/{long}"), "1 to 107 bytes"),
        ("--data d --client unix:/a --peer unix:/a", "peer is \"unix:/a\""),
        ("--data d --client unix:/a --client unix:/a", "client is \"unix:/a\""),
        (&format!("--data d --cluster {long}"), "1 to 64 bytes"),
        ("--data d --heartbeat 0", "heartbeat is \"0\""),
        ("--data d --snapshot-bytes 63k", "snapshot-bytes is \"63k\""),
        ("--data d --snapshot-bytes 99999999999999g", "snapshot-bytes is"),
        ("--data d --snapshot-bytes m", "snapshot-bytes is \"m\""),
        ("--data d --leases=yes", "leases is \"yes\", must be true or false"),
        ("--data d --id 1 --id 2", "--id is given twice"),
        ("--data d --members 1=unix:/x", "no option --members"),
        ("--data d more", "more"),
        ("--data", "missing argument"),
    ] {
        let message = refusal(line);
        assert!(message.contains(part), "{line}: {message}");
    }
}

#[test]
fn nobody_founds_a_cluster_and_joins_another() {
    let message = refusal_with("--data d --join", &[("QUORATE_BOOTSTRAP", "true")]);
    let wanted = "join and bootstrap exclude each other; set by flag --join and variable QUORATE_BOOTSTRAP";
    assert!(message.starts_with(wanted), "{message}");
}

#[test]
fn unknown_names_and_wrong_types_in_a_file_are_refused_with_their_line() {
    for (text, part) in [
        ("data = 'd'\nmembers = []\n", "line 2: there is no setting \"members\""),
        ("data = 'd'\n[server]\nid = 1\n", "line 2: there is no setting \"server\""),
        ("\n\nid = '1'\n", "line 3: id is a text, must be a whole number"),
        ("id = 1.5\n", "line 1: id is a fraction, must be a whole number"),
        ("id = 0x10\n", "line 1: id is a number, must be a whole number"),
        ("leases = 'true'", "line 1: leases is a text, must be true or false"),
        ("data = 7", "line 1: data is a number, must be a text in quotes"),
        ("client = [1]", "line 1: client is an array"),
        ("snapshot-bytes = true", "must be a whole number or a text like \"64m\""),
        ("data = 'd'\nid =\n", "line 2: "),
        ("id = 1\nid = 2\n", "line 2: "),
        ("data = 'd'\nclient = []", "client is 0 of them, must be from 1 to 16 addresses"),
    ] {
        let file = File::new("types", text);
        let message = refusal(&file.flag());
        assert!(message.contains(part), "{text:?}: {message}");
    }
}

#[test]
fn unknown_variables_are_refused() {
    for name in ["QUORATE_MEMBERS", "QUORATE_", "QUORATE_id", "QUORATE_ELECTION-TIMEOUT"] {
        let message = refusal_with("--data d", &[(name, "1")]);
        assert!(message.contains(&format!("variable {name} is \"1\", but there is no setting")), "{message}");
    }
    assert!(refusal_with("", &[("QUORATE_DATA", "")]).contains("set by variable QUORATE_DATA"));
}

#[test]
fn a_file_may_hold_sizes_both_ways_and_peers_both_ways() {
    let peers = ["peers = ['1=unix:/x', '2=unix:/y']", "peers = '1=unix:/x,2=unix:/y'"];
    for (peers, size) in peers.into_iter().zip(["1048576", "'1m'"]) {
        let text = format!("data = 'd'\nid = 1\n{peers}\nsnapshot-bytes = {size}\n");
        let file = File::new("both", &text);
        let settings = settings(&file.flag());
        assert_eq!((settings.peers.len(), settings.snapshot_bytes), (2, 1 << 20));
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let line = "--id 2 --data a\"b\\c --client unix:/c,tcp:127.0.0.1:7 --peers 2=unix:/y,1=unix:/x \
                --cluster red --election-timeout 300 --placement split --leases";
    let variables = [("QUORATE_HEARTBEAT", "20")];
    let Ok(Wish::Show(text)) = read_with(&format!("{line} --check-config"), &variables) else {
        panic!("the settings are shown")
    };
    let source = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} = "))).expect(name);
        line.rsplit("  # ").next().unwrap().to_owned()
    };
    assert_eq!(source("id"), "flag --id");
    assert_eq!(source("heartbeat"), "variable QUORATE_HEARTBEAT");
    assert_eq!(source("snapshot-bytes"), "default");
    let file = File::new("again", &text);
    assert_eq!(settings(&file.flag()), settings_with(line, &variables));
    let Ok(Wish::Show(again)) = read_with(&format!("{} --check-config", file.flag()), &[]) else {
        panic!("the settings are shown")
    };
    assert!(again.contains(&format!("# file {}, line 1\n", file.0.display())), "{again}");
}

#[test]
fn help_is_a_wish_even_when_nothing_else_makes_sense() {
    assert!(matches!(read_with("--help", &[]), Ok(Wish::Help)));
    assert!(matches!(read_with("-h", &[("QUORATE_X", "1")]), Ok(Wish::Help)));
}
