"""SIGINT, SIGTERM and SIGHUP become one exception, so that `finally` clears up on every way out."""

import contextlib
import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The run is to end now. Not an `Exception`: nothing may swallow it on the way up."""

    def __init__(self, reason: str, number: int = 0):
        super().__init__(reason)
        self.number = number


class _State:
    depth = 0
    waiting = None
    is_ending = False


def _on_signal(number, _frame) -> None:
    """Only the first signal counts. A second one, and a terminal's Ctrl-C is followed by one of our
    own, would come between the first and what clears up after it."""
    if _State.depth:
        _State.waiting = _State.waiting or number
    elif not _State.is_ending:
        _interrupt(number)


def _interrupt(number) -> None:
    _State.is_ending = True
    raise Interrupted(signal.Signals(number).name, number)


def install() -> None:
    """Turns the signals into `Interrupted` from now on."""
    for number in SIGNALS:
        signal.signal(number, _on_signal)


@contextlib.contextmanager
def deferred():
    """Holds an interruption back until the block is done, for steps which must not be torn."""
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
    if not _State.depth and _State.waiting:
        number, _State.waiting = _State.waiting, None
        if not _State.is_ending:
            _interrupt(number)
