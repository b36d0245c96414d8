"""How many streams a process serves at a time, in all and for one owner."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Seats:
    """`per_owner_max` None: no limit."""

    def __init__(self, streams_max: int, per_owner_max: int | None) -> None:
        self._streams_max = streams_max
        self._per_owner_max = per_owner_max
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, owner: str) -> Iterator[bool]:
        """One for as long as a stream lasts; False: there is none left."""
        is_free = self._taken.total() < self._streams_max
        if self._per_owner_max is not None:
            is_free = is_free and self._taken[owner] < self._per_owner_max
        if not is_free:
            yield False
            return
        self._taken[owner] += 1
        try:
            yield True
        finally:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
