//! A file operation that failed: which, on what, and what the operating system said.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// An operation on a file failed. What the file holds now is unknown.
#[derive(Clone, Debug)]
pub struct DiskFailure {
    /// What was attempted: "write", "sync", ...
    pub operation: &'static str,
    /// The file, or the directory itself.
    pub file: String,
    /// What the operating system said.
    pub error: Arc<io::Error>,
}

impl DiskFailure {
    /// Whether there was no space, for this user or at all.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self.error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

impl fmt::Display for DiskFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.operation, self.file, self.error)
    }
}

impl Error for DiskFailure {}

/// Names the operation and the file in an error of the operating system.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str, file: &str) -> Result<T, DiskFailure>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, operation: &'static str, file: &str) -> Result<T, DiskFailure> {
        self.map_err(|error| DiskFailure { operation, file: file.to_owned(), error: Arc::new(error) })
    }
}
