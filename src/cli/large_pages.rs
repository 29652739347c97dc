//! Memory in large pages.
//!
//! A store is read all over, and in pages of 4 KiB a processor has to look up where nearly each of its keys
//! lies before it can read it. Linux gives out pages of 2 MiB, but on most machines only to programs that ask
//! for them, and glibc asks only if its environment has said so when the program began. So a node that has
//! not been told otherwise begins once more, with that in its environment: the same process, under the same
//! name. What it gains is in docs/benchmarks.md.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The environment variable that glibc reads, and the part of it that this is about.
const TUNABLES: &str = "GLIBC_TUNABLES";
const LARGE_PAGES: &str = "glibc.malloc.hugetlb";

/// Set in the second beginning. That glibc has been told does not tell: where a program has rights of its
/// own, glibc takes the variable away.
const BEGUN_ANEW: &str = "STARTED_ANEW_BY_QUORATE";

/// Where the kernel says who gets large pages.
const POLICY_FILE: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Begins this program once more if that brings large pages. To be called before anything is read or opened.
pub(super) fn ask() {
    let policy = || fs::read_to_string(POLICY_FILE).unwrap_or_default();
    let mut words = env::args_os();
    if cfg!(target_env = "gnu")
        && env::var_os(BEGUN_ANEW).is_none()
        && must_be_asked(&policy())
        && let Some(tunables) = with_large_pages(env::var_os(TUNABLES))
        && let (Some(name), Ok(program)) = (words.next(), env::current_exe())
        // Started in an unusual way it may be a program that runs programs.
        && Path::new(&name).file_name() == program.file_name()
    {
        let mut command = Command::new(program);
        command.arg0(name).args(words).env(TUNABLES, tunables).env(BEGUN_ANEW, "1");
        // It comes back only if it could not be done, and then all goes on with pages of the usual size.
        let _ = command.exec();
    }
}

/// Whether the kernel gives large pages to those who ask for them, and to nobody else.
fn must_be_asked(policy: &str) -> bool {
    policy.split_whitespace().any(|word| word == "[madvise]")
}

/// What glibc is to be told beside what it has been told already, if nothing is said of large pages there.
fn with_large_pages(before: Option<OsString>) -> Option<OsString> {
    let Some(mut tunables) = before else { return Some(format!("{LARGE_PAGES}=1").into()) };
    if tunables.to_string_lossy().contains(LARGE_PAGES) {
        return None;
    }
    tunables.push(format!(":{LARGE_PAGES}=1"));
    Some(tunables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_asked_only_where_that_makes_a_difference() {
        assert!(must_be_asked("always [madvise] never\n"));
        assert!(!must_be_asked("[always] madvise never\n"));
        assert!(!must_be_asked("always madvise [never]\n"));
        assert!(!must_be_asked(""));
    }

    #[test]
    fn glibc_is_told_once_and_what_it_was_told_before_stands() {
        let told = |before: &str| with_large_pages(Some(before.into()));
        assert_eq!(with_large_pages(None), Some("glibc.malloc.hugetlb=1".into()));
        assert_eq!(told("glibc.malloc.check=1"), Some("glibc.malloc.check=1:glibc.malloc.hugetlb=1".into()));
        assert_eq!(told("glibc.malloc.hugetlb=1"), None);
        assert_eq!(told("glibc.malloc.hugetlb=0:glibc.malloc.check=1"), None);
    }
}
