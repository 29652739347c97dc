"""What the disk takes at least: a write and fdatasync of as many bytes as a SET has in our log."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from .measurement import median

# A record of one entry with a key of 16 bytes and a value of 32: docs/disk-format.md.
RECORD_BYTES = 128
FILE_BYTES = 1 << 20


class BareDisk:
    """A file that has its blocks already, written from its beginning to its end, as a log is."""

    def __init__(self, home: str, name: str = "bare"):
        os.makedirs(home, exist_ok=True)
        self._file = os.open(os.path.join(home, name), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(self._file, bytes(FILE_BYTES))
        os.fsync(self._file)
        self._at = 0

    def __enter__(self) -> "BareDisk":
        return self

    def __exit__(self, *_: Any) -> None:
        os.close(self._file)

    def p50(self, seconds: float) -> float:
        """The median of one write and sync after the other for so long, in milliseconds."""
        record, took = b"x" * RECORD_BYTES, []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            os.pwrite(self._file, record, self._at)
            os.fdatasync(self._file)
            took.append(1_000.0 * (time.perf_counter() - began))
            self._at = (self._at + RECORD_BYTES) % FILE_BYTES
        return median(took)


def p50_of_three(home: str, seconds: float) -> float:
    """The same while three do it at the same time, as three nodes on one disk do."""
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        disks = [stack.enter_context(BareDisk(home, "bare-%d" % number)) for number in range(3)]
        return median(list(pool.map(lambda disk: disk.p50(seconds), disks)))
