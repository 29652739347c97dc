"""Building the replicas, and only when something they are made of has changed."""

import os
import subprocess
import sys
from typing import Iterator

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
BINARY = os.path.join(REPOSITORY, "target", "release", "quorate")
FLOOR = os.path.join(REPOSITORY, "target", "release", "course-floor")
LAUNCHER = os.path.join(REPOSITORY, "bin", "3700kvstore")


def _sources() -> Iterator[str]:
    for name in ("Cargo.toml", "Cargo.lock"):
        yield os.path.join(REPOSITORY, name)
    for folder in ("src", "bin"):
        for where, _, names in os.walk(os.path.join(REPOSITORY, folder)):
            for name in names:
                yield os.path.join(where, name)


def is_needed() -> bool:
    """Whether the release binary is missing or older than anything that goes into it."""
    try:
        built = os.path.getmtime(BINARY)
    except OSError:
        return True
    return any(os.path.getmtime(path) > built for path in _sources() if os.path.exists(path))


def build() -> int:
    """`cargo build --release --locked`, with its progress on the standard error; its status."""
    print("building the release binaries (cargo build --release --locked)", file=sys.stderr)
    try:
        done = subprocess.run(
            ["cargo", "build", "--release", "--locked"], cwd=REPOSITORY, stdout=sys.stderr,
            check=False)
    except FileNotFoundError:
        print("run.py: cargo is not installed (https://rustup.rs)", file=sys.stderr)
        return 1
    if done.returncode == 0:
        # Where nothing had to be linked again the program keeps its old date: dated anew.
        os.utime(BINARY)
    return done.returncode


def build_if_needed() -> int:
    """Builds unless the binary is newer than everything it is made of; cargo decides the rest."""
    return build() if is_needed() else 0
