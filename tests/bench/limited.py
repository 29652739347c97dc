"""Small machines: one core for everything, and so much memory for each server.

A limit of memory is one of a control group where that is permitted, which counts what is really
used, the cache of files included; else it is one of addresses (ulimit -v), which is stricter.
"""

import os
import shutil
from typing import Any, List, Optional

CGROUPS = "/sys/fs/cgroup"
# Version 1 and version 2: the folder of the controller, its limit, and what says that it is there.
FORMS = (
    (os.path.join(CGROUPS, "memory"), "memory.limit_in_bytes", "memory.limit_in_bytes"),
    (CGROUPS, "memory.max", "cgroup.subtree_control"),
)
# Each process that is started so makes a group of its own and moves into it.
IN_GROUP = """\
#!/bin/sh
group={base}/$$
mkdir "$group" && echo {limit} > "$group/{file}" && echo $$ > "$group/cgroup.procs" || exit 75
exec {program} "$@"
"""
WITH_ULIMIT = """\
#!/bin/sh
ulimit -v {kibibytes} || exit 75
exec {program} "$@"
"""


def to_one_core() -> int:
    """From now on this process and all that it starts share one core; its number."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


class MemoryLimit:
    """Wraps programs so that each process of them is limited. To be used with `with`."""

    def __init__(self, limit: int, home: str):
        self._limit = limit
        self._home = home
        self._base: Optional[str] = None
        self._file = ""

    def __enter__(self) -> "MemoryLimit":
        name = "quorate-bench-%d" % os.getpid()
        for folder, file, sign in FORMS:
            base = os.path.join(folder, name)
            if not os.path.exists(os.path.join(folder, sign)):
                continue
            try:
                os.mkdir(base)
            except OSError:
                continue
            self._base, self._file = base, file
            if self._can_limit():
                return self
            self._remove()
        return self

    def _can_limit(self) -> bool:
        """Whether groups in ours have the file; in version 2 the controller must be passed on."""
        assert self._base is not None, "a group was made"
        control = os.path.join(self._base, "cgroup.subtree_control")
        try:
            if os.path.exists(control):
                with open(control, "w", encoding="ascii") as target:
                    target.write("+memory")
            probe = os.path.join(self._base, "probe")
            os.mkdir(probe)
            found = os.path.exists(os.path.join(probe, self._file))
            os.rmdir(probe)
            return found
        except OSError:
            return False

    def __exit__(self, *_: Any) -> None:
        self._remove()

    def _remove(self) -> None:
        """Groups vanish one by one, from the inside; their processes have ended before."""
        if self._base is None:
            return
        for name in _folders(self._base):
            _remove_group(os.path.join(self._base, name))
        _remove_group(self._base)
        self._base = None

    @property
    def how(self) -> str:
        mebibytes = self._limit >> 20
        return ("%d MiB of memory a server (control group)" % mebibytes if self._base is not None
                else "%d MiB of addresses a server (ulimit -v)" % mebibytes)

    def wrap(self, program: str) -> str:
        """A program that starts another under the limit."""
        found = shutil.which(program) or program
        path = os.path.join(self._home, "limited-" + os.path.basename(program))
        text = (IN_GROUP.format(base=self._base, limit=self._limit, file=self._file, program=found)
                if self._base is not None
                else WITH_ULIMIT.format(kibibytes=self._limit >> 10, program=found))
        with open(path, "w", encoding="utf-8") as script:
            script.write(text)
        os.chmod(path, 0o755)
        return path


def _folders(path: str) -> List[str]:
    return [name for name in os.listdir(path) if os.path.isdir(os.path.join(path, name))]


def _remove_group(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        pass  # a process in it has not gone yet: the group is empty and costs nothing
