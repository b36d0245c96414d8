"""How long to wait before the next try."""

DELAY_SECONDS_FIRST = 1.0
DELAY_SECONDS_MAX = 60.0


def delay_seconds(attempt: int, *, jitter: float) -> float:
    """Exponential backoff with full jitter (AWS Architecture Blog, 2015): `attempt` from 1, `jitter` in 0..1."""
    ceiling: float = min(DELAY_SECONDS_MAX, DELAY_SECONDS_FIRST * 2 ** min(attempt - 1, 16))
    return ceiling * jitter
