"""Everything random and every clock, replaced by the seed's. For one simulation at a time."""

import gc
import logging
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace

import structlog
from fakeredis.commands_mixins import server_mixin
from sqlalchemy.exc import SAWarning

from tests.simulation import processes

EPOCH = 1_700_000_000.0
"""Virtual time 0. Far from today, so that whoever asks the real clock is found out."""

SILENT = logging.CRITICAL


@contextmanager
def governed(seed: int, now: Callable[[], float], *, is_loud: bool) -> Iterator[None]:
    """Patch what can't be handed in: uuid4, tokens, jitter and the clocks."""
    source = Random(f"bytes {seed}")
    state, logger = random.getstate(), structlog.get_config()
    patched = {
        (os, "urandom"): source.randbytes,
        (random, "_urandom"): source.randbytes,
        (time, "monotonic"): now,
        (time, "time"): lambda: EPOCH + now() + _skew_seconds(),
        # Redis has a clock of its own, which is not that of whoever asks it.
        (server_mixin, "time"): SimpleNamespace(time=lambda: EPOCH + now()),
    }
    before = {place: getattr(*place) for place in patched}
    random.seed(seed)
    if not is_loud:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    # A collection would end generators at a moment that depends on what ran before.
    is_collecting = gc.isenabled()
    gc.disable()
    for (owner, name), value in patched.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name), value in before.items():
            setattr(owner, name, value)
        if is_collecting:
            gc.enable()
        structlog.configure(**logger)
        random.setstate(state)


@contextmanager
def quiet_pools() -> Iterator[None]:
    """Who dies while a connection is handed out never gives it back: SQLAlchemy would warn of that."""
    log = logging.getLogger("sqlalchemy.pool")
    log.disabled = True
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The garbage collector is trying", category=SAWarning)
        yield
    log.disabled = False


def _skew_seconds() -> float:
    return processes.current().clock_skew_seconds if processes.is_in_process() else 0.0
