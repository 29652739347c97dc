"""When everything in a run is due."""

from typing import List, Tuple

from .config import Config
from .dialect import Schedule

REQUEST, FINISH = "request", "finish"


def timeline(config: Config, schedule: Schedule, wall: float) -> List[Tuple[float, str]]:
    """What is due how many seconds after the start, in order: requests, events, the end.

    `wall` is the start on the wall clock. The times are sums of wall clock readings on purpose: the
    course's simulators add the spacing up in such numbers, and their rounding decides whether a
    request which is due together with a kill comes just before it (it does).
    """
    first = wall + schedule.start_wait
    due = []
    moment = first
    for _ in range(config.requests):
        due.append((moment - wall, REQUEST))
        moment += schedule.spacing
    due += [(first + event.time - wall, event.type) for event in config.events]
    due.append((wall + schedule.total - wall, FINISH))
    due.sort(key=lambda entry: entry[0])
    return due
