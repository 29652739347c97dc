"""How many syncs processes make, counted by the kernel for `perf stat`.

Tracepoints make every system call of the machine a little slower, so syncs are counted in a run of
their own, whose speed is not looked at.
"""

import os
import shutil
import signal
import subprocess
import time
from typing import Any, List, Optional

EVENTS = ("fdatasync", "fsync", "sync_file_range", "msync")
START_PAUSE = 0.3


class SyncCounter:
    """Counts while the block runs; `count` is None where perf is missing or not permitted."""

    def __init__(self, pids: List[int], home: str):
        self.count: Optional[int] = None
        self._pids = pids
        self._path = os.path.join(home, "syncs.txt")
        self._perf: Optional[subprocess.Popen] = None

    def __enter__(self) -> "SyncCounter":
        if shutil.which("perf") is not None:
            events = ",".join("syscalls:sys_enter_%s" % name for name in EVENTS)
            self._perf = subprocess.Popen(
                ["perf", "stat", "-x", ",", "-e", events, "-o", self._path, "-p",
                 ",".join(map(str, self._pids))],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True)
            time.sleep(START_PAUSE)
        return self

    def __exit__(self, *_: Any) -> None:
        if self._perf is None:
            return
        # perf has ended already if it was not permitted.
        self._perf.send_signal(signal.SIGINT)
        try:
            self._perf.wait(5.0)
        except subprocess.TimeoutExpired:
            self._perf.kill()
            self._perf.wait()
        try:
            with open(self._path, encoding="utf-8") as report:
                self.count = parse(report.read())
        except OSError:
            self.count = None


def parse(report: str) -> Optional[int]:
    """The sum of the counts in lines like `1234,,syscalls:sys_enter_fsync,...`."""
    counts = [line.split(",")[0] for line in report.splitlines() if "sys_enter_" in line]
    numbers = [int(count) for count in counts if count.isdigit()]
    return sum(numbers) if numbers else None
