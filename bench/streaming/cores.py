"""Which core does what: the server has the first to itself, all that loads it shares the last."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOWED = sorted(os.sched_getaffinity(0))
SERVER, LOAD = _ALLOWED[0], _ALLOWED[-1]


@contextmanager
def on(core: int) -> Iterator[None]:
    """Processes that are started within stay on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
