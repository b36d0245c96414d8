"""Analyses of the modules that were asked about last: batches of one module share one reading of it."""

import asyncio
import threading
from collections import OrderedDict
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import sha256

from jobs.offline.analysis import Analysis, analyse
from jobs.offline.languages import Language

Key = tuple[str, bytes]


@dataclass(slots=True)
class Reading:
    """One analysis, running or done, and how many wait for it."""

    future: "asyncio.Future[Analysis]"
    stop: threading.Event
    waiting: int = field(default=0)


class Readings:
    """Keeps the last `modules_max` analyses. Belongs to one event loop; the work is done in `executor`."""

    def __init__(self, executor: Executor, modules_max: int) -> None:
        self._executor = executor
        self._modules_max = modules_max
        self._readings: OrderedDict[Key, Reading] = OrderedDict()

    async def of(self, text: str, language: Language) -> Analysis:
        """The analysis of `text`. Once nobody waits for it any more, a running one stops."""
        key = (language.code, sha256(text.encode("utf-8", "replace")).digest())
        reading = self._readings.get(key)
        if reading is None:
            reading = self._begin(key, text, language)
        self._readings.move_to_end(key)
        reading.waiting += 1
        try:
            return await asyncio.shield(reading.future)
        except Exception:
            self._forget(key, reading)
            raise
        finally:
            reading.waiting -= 1
            if reading.waiting == 0 and not reading.future.done():
                reading.stop.set()
                self._forget(key, reading)

    def stop(self) -> None:
        for reading in self._readings.values():
            reading.stop.set()
        self._readings.clear()

    def _begin(self, key: Key, text: str, language: Language) -> Reading:
        stop = threading.Event()
        future = asyncio.get_running_loop().run_in_executor(self._executor, analyse, text, language, stop.is_set)
        # A reading that is stopped ends with Stopped, which then nobody is there to collect.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        reading = self._readings[key] = Reading(future, stop)
        while len(self._readings) > self._modules_max and self._drop_oldest_done():
            pass
        return reading

    def _drop_oldest_done(self) -> bool:
        for key, reading in self._readings.items():
            if reading.future.done():
                del self._readings[key]
                return True
        return False

    def _forget(self, key: Key, reading: Reading) -> None:
        if self._readings.get(key) is reading:
            del self._readings[key]
