"""Where moments stand on a time axis. Long gaps in which nothing happened are cut short. static/scale.js does the same.

All in whole milliseconds and hundredths of a percent, so that both languages come to the same figures.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

Span = tuple[int, int]

TICKS_MAX = 5
TICK_DISTANCE_MIN = 1_400
"""Of the whole axis, in hundredths of a percent: labels of closer ones would touch."""
CUT_MS_MIN = 10_000
STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def moment_of(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


class Scale:
    """An axis for these spans of work. `stretches` are what is drawn to scale; between them time is cut."""

    def __init__(self, spans: Iterable[Span]) -> None:
        merged = _merged(sorted(spans), gap_ms=0)
        active = sum(end - start for start, end in merged)
        self.stretches = _merged(merged, gap_ms=max(CUT_MS_MIN, active // 10))
        self._gap_ms = max(1, active // 16)
        drawn = sum(end - start for start, end in self.stretches) + self._gap_ms * (len(self.stretches) - 1)
        self._drawn_ms = max(1, drawn)

    def at(self, ms: int) -> int:
        """Hundredths of a percent from the left."""
        offset = 0
        for start, end in self.stretches:
            if ms <= end:
                return 10_000 * (offset + max(0, ms - start)) // self._drawn_ms
            offset += end - start + self._gap_ms
        return 10_000

    def ticks(self) -> list[int]:
        """Round moments that are far enough from each other."""
        step = 1000 * next(
            (seconds for seconds in STEPS_SECONDS if seconds * 1000 * TICKS_MAX >= self._drawn_ms), STEPS_SECONDS[-1]
        )
        found: list[int] = []
        for start, end in self.stretches:
            for ms in range(-(-start // step) * step, end + 1, step):
                if not found or self.at(ms) - self.at(found[-1]) >= TICK_DISTANCE_MIN:
                    found.append(ms)
        return found

    def breaks(self) -> list[tuple[Span, Span]]:
        """Where time was cut: from and to on the axis, and what was cut out."""
        pairs = zip(self.stretches, self.stretches[1:], strict=False)
        return [((self.at(end), self.at(start)), (end, start)) for (_, end), (start, _) in pairs]


def _merged(spans: Iterable[Span], *, gap_ms: int) -> list[Span]:
    """`spans` in order; those that are no further apart become one."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= gap_ms:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
