"""What has been used so far, from /proc: CPU time and memory of processes, bytes on the disk."""

import os
import time
from typing import Dict, Iterable, List, Optional, Tuple

TICKS = os.sysconf("SC_CLK_TCK")
# What /proc/diskstats counts, whatever the disk has.
SECTOR_BYTES = 512
# How long is looked at what others do with the machine.
PAUSE = 1.0


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these processes have used since they were started, with their children that ended."""
    return sum(map(_cpu_seconds, pids))


def _cpu_seconds(pid: int) -> float:
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as stat:
            # The name is in parentheses and may hold blanks; field 3 follows it.
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def disk_written_bytes(directory: str) -> Optional[int]:
    """What the disk below a directory has written since the machine was started, for whomever.

    The counts of processes (/proc/PID/io) are of no use here: where a file is held in large pages,
    each write to one counts as the whole of it, which may be two megabytes for a hundred bytes.
    """
    device = os.stat(directory).st_dev
    with open("/proc/diskstats", encoding="ascii", errors="replace") as disks:
        for line in disks:
            fields = line.split()
            if (int(fields[0]), int(fields[1])) == (os.major(device), os.minor(device)):
                return int(fields[9]) * SECTOR_BYTES
    return None


def resident_bytes(pids: Iterable[int]) -> List[int]:
    """The memory of each process."""
    return [_number("/proc/%d/status" % pid, "VmRSS:") * 1024 for pid in pids]


def peak_bytes(pids: Iterable[int]) -> List[int]:
    """The most that each process has ever had."""
    return [_number("/proc/%d/status" % pid, "VmHWM:") * 1024 for pid in pids]


def _number(path: str, name: str) -> int:
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith(name):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def machine() -> Dict[str, object]:
    """What figures are good for only together with this."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
        models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return {
        "cpu": models[0] if models else os.uname().machine,
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": "%s %s" % (os.uname().sysname, os.uname().release),
        "busy_before": busy_share(PAUSE),
    }


def busy_share(seconds: float) -> float:
    """The share of all cores that others have used in the next so many seconds, stolen time too."""
    idle, whole = _processor_ticks()
    time.sleep(seconds)
    idle_after, whole_after = _processor_ticks()
    return 1.0 - (idle_after - idle) / max(whole_after - whole, 1)


def _processor_ticks() -> Tuple[int, int]:
    """Of all cores since the start: idle ticks, with those of waiting for a disk, and all ticks."""
    with open("/proc/stat", encoding="ascii") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)
