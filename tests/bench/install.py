"""Getting what we are compared with: Debian's packages, and the load for etcd, which is built here.

What cannot be had is left out of the comparison, with a line that says so.
"""

import os
import shutil
import subprocess
from typing import List, Optional

from clients.install import NotAvailable
from simulator import build

from .drivers import quorate_bench

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(build.REPOSITORY, "target", "bench")
ETCD_LOAD = os.path.join(TARGET, "etcd-load", "release", "quorate-etcd-load")
PATIENCE = 900.0
# Packages of servers start them at once; these words keep them from it, with and without systemd.
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1", "RUNLEVEL": "1"}
INCLUDES = "/usr/include/google/protobuf/descriptor.proto"


def _run(words: List[str], cwd: Optional[str] = None) -> None:
    """Runs a program quietly; its last line is the reason if it fails."""
    print("run.py bench: %s" % " ".join(words), flush=True)
    try:
        done = subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE, check=False,
                              env=dict(os.environ, **QUIET))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailable("%s: %s" % (words[0], error)) from error
    if done.returncode != 0:
        lines = done.stdout.decode("utf-8", "replace").strip().splitlines() or ["(no output)"]
        raise NotAvailable("%s failed: %s" % (" ".join(words[:3]), lines[-1]))


def _need(packages: List[str], is_there: bool) -> None:
    if is_there:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotAvailable("not installed (apt-get install %s)" % " ".join(packages))
    _run(["apt-get", "install", "-y", "--no-install-recommends"] + packages)


def _have(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


def redis() -> None:
    """redis-server."""
    _need(["redis-server"], _have("redis-server"))


def generator() -> Optional[str]:
    """redis-benchmark, which drives everything that speaks the Redis protocol. Where it cannot be
    had our own takes its place; the reason is returned."""
    try:
        _need(["redis-tools"], _have("redis-benchmark"))
    except NotAvailable as error:
        if not quorate_bench.is_there(build.BINARY):
            raise
        return "redis-benchmark: %s, 'quorate bench' was used instead" % error
    return None


def etcd() -> None:
    """etcd, and the program that drives it, which needs protoc to be built."""
    _need(["etcd-server"], _have("etcd"))
    source = os.path.join(HERE, "etcd-load")
    if _is_older(ETCD_LOAD, source):
        _need(["protobuf-compiler", "libprotobuf-dev"],
              _have("protoc") and os.path.exists(INCLUDES))
        _run(["cargo", "build", "--quiet", "--release", "--locked", "--target-dir",
              os.path.join(TARGET, "etcd-load")], cwd=source)
        os.utime(ETCD_LOAD)


def _is_older(program: str, source: str) -> bool:
    """Whether a program is missing or older than what it is made of."""
    if not os.path.exists(program):
        return True
    paths = [os.path.join(where, name) for where, _, names in os.walk(source) for name in names]
    return max(map(os.path.getmtime, paths)) > os.path.getmtime(program)
