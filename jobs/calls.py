"""One call while it runs: what it brings and uses, and how it is written down when it ends, however it ends."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.checkpoint import Checkpoint
from jobs.providers.base import ProviderError, Request, Usage
from schemas.calls import Call, CallOutcome
from service.errors import LeaseLost

NEAR_DUPLICATE = "near_duplicate"
"""The code with which the checks refuse what the quiz has already."""


class OpenCall:
    """A call that has begun. A provider that costs nothing tells no usage, and nothing is written about its calls."""

    def __init__(self, request: Request, *, is_hedge: bool = False) -> None:
        self._request = request
        self._is_hedge = is_hedge
        self._began = time.monotonic()
        self._usage: Usage | None = None
        self.accepted_count = 0
        self._has_surplus = False
        self._rejections: set[str] = set()

    def used(self, usage: Usage) -> None:
        self._usage = usage

    def accepted(self) -> None:
        self.accepted_count += 1

    def rejected(self, code: str) -> None:
        self._rejections.add(code)

    def came_too_late(self) -> None:
        """The batch had enough when it came."""
        self._has_surplus = True

    def ended(self, number: int, error: BaseException | None) -> Call | None:
        """The call as it is written down; None when it cost nothing or never reached the provider."""
        usage = self._usage or self._request.meter.usage()
        if usage is None:
            return None
        return Call(
            number=number,
            **usage.model_dump(),
            seconds=round(time.monotonic() - self._began, 3),
            accepted_count=self.accepted_count,
            outcome=self._outcome(error),
            is_hedge=self._is_hedge,
        )

    def _outcome(self, error: BaseException | None) -> CallOutcome:
        if self.accepted_count:
            return CallOutcome.ACCEPTED
        is_cut = isinstance(error, asyncio.CancelledError | LeaseLost)
        if self._is_hedge and (is_cut or self._has_surplus):
            return CallOutcome.HEDGE
        if is_cut:
            return CallOutcome.CANCELLED
        if error:
            return _failure(error)
        return self._content()

    def _content(self) -> CallOutcome:
        if self._rejections:
            return CallOutcome.DUPLICATE if self._rejections == {NEAR_DUPLICATE} else CallOutcome.REJECTED
        return CallOutcome.SURPLUS if self._has_surplus else CallOutcome.EMPTY


@contextmanager
def recorded(checkpoint: Checkpoint, request: Request, *, is_hedge: bool = False) -> Iterator[OpenCall]:
    """Hands the call to the checkpoint when it ends: well, in an error, or cut."""
    call = OpenCall(request, is_hedge=is_hedge)
    try:
        yield call
    except BaseException as error:
        checkpoint.record(call, error)
        raise
    checkpoint.record(call, None)


def _failure(error: BaseException) -> CallOutcome:
    code = error.code if isinstance(error, ProviderError) else ""
    return CallOutcome(code) if code in set(CallOutcome) else CallOutcome.INTERNAL
