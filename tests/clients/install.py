"""Getting the clients: with apt-get, pip, npm and cargo, into target/clients, once."""

import os
import shutil
import subprocess
import sys
from typing import List, Optional

from simulator import build

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(build.REPOSITORY, "target", "clients")
PATIENCE = 300.0


class NotAvailable(Exception):
    """A client that cannot be had here; one line says why."""


def _run(words: List[str], cwd: Optional[str] = None) -> None:
    print("      installing: %s" % " ".join(words), file=sys.stderr, flush=True)
    try:
        done = subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailable("%s: %s" % (words[0], error)) from error
    if done.returncode != 0:
        lines = done.stdout.decode("utf-8", "replace").strip().splitlines() or ["(no output)"]
        raise NotAvailable("%s failed: %s" % (" ".join(words[:3]), lines[-1]))


def _is_done(folder: str, recipe: str) -> bool:
    """Whether an installation was finished, with the recipe that is here now."""
    try:
        with open(os.path.join(folder, "done"), encoding="utf-8") as mark, \
                open(recipe, encoding="utf-8") as now:
            return mark.read() == now.read()
    except OSError:
        return False


def _mark(folder: str, recipe: str) -> None:
    shutil.copyfile(recipe, os.path.join(folder, "done"))


def redis_tools() -> None:
    """redis-cli and redis-benchmark, from the system's packages."""
    if shutil.which("redis-cli") and shutil.which("redis-benchmark"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotAvailable("redis-cli is not installed (apt-get install redis-tools)")
    _run(["apt-get", "install", "-y", "redis-tools"])


def redis_py() -> str:
    """The interpreter of an environment that has redis-py."""
    folder = os.path.join(TARGET, "redis_py")
    recipe = os.path.join(HERE, "redis_py", "requirements.txt")
    python = os.path.join(folder, "bin", "python")
    if not _is_done(folder, recipe):
        _run([sys.executable, "-m", "venv", "--clear", folder])
        _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r",
              recipe])
        _mark(folder, recipe)
    return python


def ioredis() -> str:
    """A folder whose node_modules have ioredis."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotAvailable("node or npm is not installed (apt-get install nodejs npm)")
    folder = os.path.join(TARGET, "ioredis")
    source = os.path.join(HERE, "ioredis")
    recipe = os.path.join(source, "package-lock.json")
    if not _is_done(folder, recipe):
        os.makedirs(folder, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(os.path.join(source, name), os.path.join(folder, name))
        _run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder)
        _mark(folder, recipe)
    return folder


def redis_crate() -> str:
    """The program that uses the redis crate."""
    folder = os.path.join(TARGET, "redis-crate")
    source = os.path.join(HERE, "redis-crate")
    _run(["cargo", "build", "--quiet", "--locked", "--target-dir", folder], cwd=source)
    return os.path.join(folder, "debug", "quorate-clients-redis-crate")
