"""Whether a call that failed is worth making again by the same attempt, and how long to wait before."""

import random
import time

from jobs.providers.base import ProviderError, ProviderRateLimited, WaitedTooLong
from service.rules import retries

RATE_LIMIT_SECONDS_DEFAULT = 5.0

TROUBLES_MAX = 3
"""Calls of one wish that may fail while others are answered, before it costs an attempt."""

STRAY_SHARE = 0.2
"""Of the usual backoff, where others are answered: only a provider in trouble needs to be left alone."""


class Waiting:
    """For one call. A provider that answers nobody is waited for, unless there is another model to ask."""

    def __init__(self, seconds_max: float, *, has_fallback: bool) -> None:
        self._seconds_max = seconds_max
        self._until = time.monotonic() + seconds_max
        self._has_fallback = has_fallback
        self._troubles = 0
        self._own_troubles = 0

    def pause_seconds(self, error: ProviderError, *, was_answered: bool) -> float:
        """`was_answered`: others were, since it failed last. Raises the error, or WaitedTooLong: not again."""
        if isinstance(error, ProviderRateLimited):
            seconds = error.retry_after_seconds or RATE_LIMIT_SECONDS_DEFAULT
        elif error.is_outage:
            seconds = self._backoff_seconds(error, was_answered=was_answered)
        else:
            raise error
        if time.monotonic() + seconds > self._until:
            raise WaitedTooLong(str(error), error.code, seconds=self._seconds_max) from error
        return seconds

    def _backoff_seconds(self, error: ProviderError, *, was_answered: bool) -> float:
        self._troubles += 1
        self._own_troubles += was_answered or self._has_fallback
        if self._own_troubles > TROUBLES_MAX:
            raise error
        seconds = retries.delay_seconds(self._troubles, jitter=random.random())  # noqa: S311 # jitter, not a secret
        return max(seconds * (STRAY_SHARE if was_answered else 1), error.retry_after_seconds or 0)
