"""Until when a worker may be sure that a publication is its own."""

import time

from service.errors import LeaseLost


class Lease:
    """By this machine's own clock, which goes on while the process is frozen; the database's lease ends no earlier.

    Canvas knows no fences: before each call the worker itself has to make sure.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def renewed(self, at: float) -> None:
        """`at`: the monotonic time before the renewal was asked for."""
        self._until = at + self._seconds

    def require(self) -> None:
        """Raises LeaseLost."""
        if time.monotonic() >= self._until:
            raise LeaseLost("the lease ran out: someone else may be publishing by now")
