//! How much memory there is, as far as the system says: the machine's, and the limit of a control group.
//!
//! After a restart a node holds the log since its last snapshot in memory until it hears what of it is
//! committed. So how much log there may be depends on how much memory there is, unless somebody says.

use std::fs;
use std::path::Path;

/// The log between two snapshots where memory is no matter, in bytes: with less of it, snapshots of a small
/// store would cost more than the log.
const PLENTY: u64 = 64 << 20;

/// The least that is chosen here, in bytes.
const LEAST: u64 = 1 << 20;

/// How much log there is to be between two snapshots.
pub(super) fn snapshot_bytes() -> u64 {
    share(available())
}

/// A quarter of the memory, [`PLENTY`] at most.
fn share(memory: Option<u64>) -> u64 {
    memory.map_or(PLENTY, |bytes| (bytes / 4).clamp(LEAST, PLENTY))
}

fn available() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = limit_files(&groups).filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine_bytes(&text));
    limits.chain(machine).min()
}

/// Where the limits of a process may stand: its groups' and those of all groups around them. A container
/// may be told a path that it cannot see, while the group at its root is its own. In version 2 of control
/// groups there is one group for all controllers, which then have no names here.
fn limit_files(groups: &str) -> impl Iterator<Item = String> {
    let named = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let limiting = named.filter_map(|(controllers, path)| match controllers {
        "" => Some(("/sys/fs/cgroup", path, "memory.max")),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            Some(("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"))
        }
        _ => None,
    });
    limiting.flat_map(|(root, path, file)| {
        let group = Path::new(path.trim_start_matches('/'));
        group.ancestors().map(move |group| Path::new(root).join(group).join(file).display().to_string())
    })
}

fn machine_bytes(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_in_both_versions_of_control_groups() {
        let files = |groups| limit_files(groups).collect::<Vec<_>>();
        let second = ["small/node/", "small/", ""].map(|group| format!("/sys/fs/cgroup/{group}memory.max"));
        assert_eq!(files("0::/small/node\n"), second);
        assert_eq!(files("0::/\n"), ["/sys/fs/cgroup/memory.max"]);
        let first = "9:name=systemd:/\n8:pids:/\n4:hugetlb,memory:/bench\n1:cpu,cpuacct:/bench\nnonsense\n";
        let root = "/sys/fs/cgroup/memory";
        let found = ["bench/", ""].map(|group| format!("{root}/{group}memory.limit_in_bytes"));
        assert_eq!(files(first), found);
        assert_eq!(files(""), [""; 0]);
    }

    #[test]
    fn the_machines_memory_is_what_it_says_in_kibibytes() {
        let text = "MemTotal:        1024 kB\nMemFree:          100 kB\n";
        assert_eq!(machine_bytes(text), Some(1 << 20));
        assert_eq!(machine_bytes("MemFree: 100 kB\n"), None);
        assert_eq!(machine_bytes("MemTotal: lots\n"), None);
    }

    #[test]
    fn there_is_always_some_log_between_two_snapshots_and_never_very_much() {
        let shares = [None, Some(0), Some(64 << 20), Some(u64::MAX)].map(share);
        assert_eq!(shares, [PLENTY, LEAST, 16 << 20, PLENTY]);
    }
}
