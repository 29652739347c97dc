//! What the operating system knows of this process: its memory and its age.
//!
//! Read when somebody asks, from files that cost no more than a system call. Where there are none, on
//! systems other than Linux, everything is zero.

use std::fs;

/// Ticks of a second in what Linux tells of a process; it has been a hundred for all programs since 2.6.
const TICKS_PER_SECOND: u64 = 100;

/// What was found.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(in super::super) struct Process {
    /// Memory that it has now, in bytes.
    pub(in super::super) resident: u64,
    /// The most it ever had, in bytes.
    pub(in super::super) peak: u64,
    /// Seconds since its start.
    pub(in super::super) uptime: u64,
}

impl Process {
    /// This process, now.
    pub(in super::super) fn look() -> Process {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let status = read("/proc/self/status");
        Process {
            resident: kilobytes(&status, "VmRSS:").unwrap_or(0) * 1024,
            peak: kilobytes(&status, "VmHWM:").unwrap_or(0) * 1024,
            uptime: uptime(&read("/proc/uptime"), &read("/proc/self/stat")).unwrap_or(0),
        }
    }
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The machine's age without the moment, on the same clock, at which the process began.
fn uptime(machine: &str, process: &str) -> Option<u64> {
    let machine: u64 = machine.split('.').next()?.parse().ok()?;
    // The name, in brackets, may hold anything; the start is the twentieth field after it.
    let started: u64 = process.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()?;
    Some(machine.saturating_sub(started / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_understood() {
        let status = "Name:\tx\nVmHWM:\t    3000 kB\nVmRSS:\t    2650 kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(2650));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 10050 20 21";
        assert_eq!(uptime("123.45 200.00\n", stat), Some(23));
        assert_eq!(uptime("", ""), None);
    }

    #[test]
    fn this_process_has_memory() {
        let process = Process::look();
        assert!(process.resident > 100_000 && process.peak >= process.resident, "{process:?}");
        assert!(process.uptime < 100_000, "{process:?}");
    }
}
