//! Reading a snapshot's file: a look at its ends, or all of it, block by block.

use std::fmt;
use std::io;

use super::SnapshotError;
use super::file::{
    BLOCK_HEAD_BYTES, Chain, FILE_BYTES_MIN, FOOTER_BYTES, Fault, HEADER_BYTES, Header, digest_of_footer,
    length_of_block,
};
use crate::disk::{Disk, DiskFailure, During};
use crate::limits::{SNAPSHOT_BLOCK_BYTES_MAX, SNAPSHOT_MEMBERSHIP_BYTES_MAX};
use crate::raft::SnapshotId;

/// Why a file was not read to its end.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault),
    Failed(DiskFailure),
}

impl Stop {
    pub(super) fn in_file(self, file: &str, expected: Header) -> SnapshotError {
        match self {
            Stop::Fault(fault) => fault.in_file(file, expected.cluster),
            Stop::Failed(failure) => SnapshotError::Failed(failure),
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

/// An open file, and what it should say of itself.
pub(super) struct Reader<'a, D: Disk> {
    pub(super) disk: &'a mut D,
    pub(super) file: &'a D::File,
    pub(super) name: &'a str,
    pub(super) expected: Header,
}

impl<D: Disk> Reader<'_, D> {
    /// Looks at header and footer. Answers what the file is called, if the rest of it is as good as they are.
    pub(super) fn inspect(&mut self) -> Result<SnapshotId, Stop> {
        let bytes = self.disk.length(self.file).during("measure", self.name).map_err(Stop::Failed)?;
        if bytes < FILE_BYTES_MIN {
            return Err(Fault::damage(bytes, "the file is shorter than its header and footer").into());
        }
        self.header()?;
        let digest = digest_of_footer(&self.array(bytes - FOOTER_BYTES as u64)?, bytes)?;
        Ok(SnapshotId { last: self.expected.last, bytes, digest })
    }

    /// Verifies everything, and hands out each block once it is; the first one is the membership, which is
    /// given back.
    pub(super) fn scan<E: fmt::Display>(
        &mut self,
        id: SnapshotId,
        mut block: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Vec<u8>, Stop> {
        if self.inspect()? != id {
            return Err(Fault::damage(id.bytes, "the footer is that of another snapshot").into());
        }
        let end = id.bytes - FOOTER_BYTES as u64;
        let mut offset = HEADER_BYTES as u64;
        let mut chain = Chain::after_header(&self.header()?);
        let (mut membership, mut buffer) = (None, Vec::new());
        while offset < end {
            let bytes_max =
                if membership.is_none() { SNAPSHOT_MEMBERSHIP_BYTES_MAX } else { SNAPSHOT_BLOCK_BYTES_MAX };
            chain = self.block(offset, end, bytes_max, chain, &mut buffer)?;
            if membership.is_none() {
                membership = Some(buffer.clone());
            } else {
                let senseless = |error| format!("the block there makes no sense: {error}");
                block(&buffer).map_err(|error| Fault::damage(offset, senseless(error)))?;
            }
            offset += (BLOCK_HEAD_BYTES + buffer.len()) as u64;
        }
        let footer: [u8; FOOTER_BYTES] = self.array(end)?;
        if footer != chain.footer(id.bytes) || chain.id(id.last, id.bytes) != id {
            return Err(Fault::damage(end, "the footer does not sum up what is before it").into());
        }
        membership.ok_or_else(|| Fault::damage(offset, "there is no membership").into())
    }

    /// Reads a block and holds it against the chain.
    fn block(
        &mut self,
        offset: u64,
        end: u64,
        bytes_max: usize,
        chain: Chain,
        buffer: &mut Vec<u8>,
    ) -> Result<Chain, Stop> {
        let behind_head = offset + BLOCK_HEAD_BYTES as u64;
        if behind_head > end {
            return Err(Fault::damage(offset, "the blocks end in the middle of a head").into());
        }
        let head = self.array(offset)?;
        let length = length_of_block(&head);
        if length > bytes_max || behind_head + length as u64 > end {
            return Err(Fault::damage(offset, "the length of the block there is out of range").into());
        }
        buffer.clear();
        buffer.resize(length, 0);
        self.fill(behind_head, buffer)?;
        let (expected, chain) = chain.with(buffer);
        if head != expected {
            return Err(Fault::damage(offset, "the block there does not match its checksum").into());
        }
        Ok(chain)
    }

    fn header(&mut self) -> Result<[u8; HEADER_BYTES], Stop> {
        let header = self.array(0)?;
        self.expected.check(&header)?;
        Ok(header)
    }

    fn array<const COUNT: usize>(&mut self, offset: u64) -> Result<[u8; COUNT], Stop> {
        let mut bytes = [0; COUNT];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), Stop> {
        match self.disk.read_at(self.file, offset, buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Fault::damage(offset, "the file ends there").into())
            }
            result => result.during("read", self.name).map_err(Stop::Failed),
        }
    }
}
