"""What a load generator has seen, and how generators are run."""

import os
import subprocess
import time
from dataclasses import dataclass
from typing import List, Sequence

from simulator import interruption

# A generator that is stuck ends with its servers' patience many times over.
PATIENCE = 120.0


class LoadFailed(Exception):
    """A load generator could not do its work; one line says why."""


@dataclass(frozen=True)
class Outcome:
    """Latencies are in milliseconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    p999: float


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Generators that ran side by side, as one: all requests in the time of the slowest, and each
    latency the worst that any of them saw."""
    requests = sum(outcome.requests for outcome in outcomes)
    seconds = max(outcome.requests / outcome.rate for outcome in outcomes)
    return Outcome(requests, requests / seconds, max(outcome.p50 for outcome in outcomes),
                   max(outcome.p99 for outcome in outcomes),
                   max(outcome.p999 for outcome in outcomes))


def run_all(commands: Sequence[List[str]]) -> List[str]:
    """Runs programs side by side and returns what each has written; one that fails is an error."""
    running: List[subprocess.Popen] = []
    try:
        with interruption.deferred():
            for command in commands:
                running.append(subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, start_new_session=True))
        return [_output(process, command) for process, command in zip(running, commands)]
    finally:
        for process in running:
            process.kill()
            process.wait()


def _output(process: subprocess.Popen, command: List[str]) -> str:
    began, name = time.monotonic(), os.path.basename(command[0])
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise LoadFailed("%s did not end in %d seconds" % (
            name, time.monotonic() - began)) from error
    complaints = errors.decode("utf-8", "replace").strip().splitlines()
    if process.returncode != 0 or any(line.startswith("Error") for line in complaints):
        raise LoadFailed("%s ended with status %d: %s" % (
            name, process.returncode, complaints[-1] if complaints else "no reason given"))
    return output.decode("utf-8", "replace")
