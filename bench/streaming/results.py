"""What was measured, as a table, and whether it reaches the targets: ratios of one repeat, medians over the repeats."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.base import Frozen

OURS = "ours"
CPU = "per CPU s"
P99 = "p99 ms"


class Entry(Frozen):
    """One run of one contender. `cell`: what it did, the same for all contenders."""

    cell: str
    contender: str
    repeat: int
    load_average: float
    figures: dict[str, float]


class Target(NamedTuple):
    """A figure of ours in a cell, divided by another's in the same repeat or, without one, as it is."""

    cell: str
    figure: str
    against: str | None
    must: float | None
    stretch: float | None
    is_floor: bool = True

    def values(self, entries: Sequence[Entry]) -> Iterator[float]:
        ours = {entry.repeat: entry.figures for entry in entries if self._is_about(entry, OURS)}
        if self.against is None:
            yield from (figures[self.figure] for figures in ours.values() if self.figure in figures)
            return
        for entry in entries:
            if self._is_about(entry, self.against) and entry.repeat in ours:
                yield ours[entry.repeat][self.figure] / entry.figures[self.figure]

    def verdict(self, value: float) -> str:
        if self._reaches(value, self.must):
            return "met, with the stretch" if self._reaches(value, self.stretch) else "met"
        return "missed" if self.must is not None else "stretch met" if self._reaches(value, self.stretch) else "-"

    def _is_about(self, entry: Entry, contender: str) -> bool:
        return (entry.cell, entry.contender) == (self.cell, contender)

    def _reaches(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return False
        return value >= bound if self.is_floor else value <= bound


TARGETS = (
    Target("500 clients, 8 in flight", CPU, "nchan", 1.5, 2.0),
    Target("2,000 clients, 8 in flight", CPU, "nchan", 1.5, 2.0),
    Target("500 clients, 1 in flight", CPU, "nchan", 0.55, 0.75),
    Target("500 clients, 1 in flight", CPU, "naive", 3.5, None),
    Target("500 clients, 10 a second", CPU, "nchan", 0.5, 0.7),
    Target("2,000 clients, 10 a second", CPU, "nchan", 0.5, 0.7),
    Target("500 clients, 10 a second", CPU, "naive", 2.5, None),
    Target("2,000 clients, 10 a second", CPU, "naive", 2.0, None),
    Target("2,000 clients, 10 a second", P99, "nchan", 2.0, 1.3, is_floor=False),
    Target("2,000 clients, 10 a second", P99, "naive", 0.15, None, is_floor=False),
    Target("500 clients, 10 a second", "KB/stream", "naive", 0.6, None, is_floor=False),
    Target("500 clients, 10 a second", "KB/stream", "nchan", None, 1.2, is_floor=False),
    *(
        Target(f"1,000 come back, {source}", figure, "naive", 0.2, None, is_floor=False)
        for source in ("memory", "database")
        for figure in ("total s", "CPU s")
    ),
    Target("1,000 come back, memory", "KB/stream", "naive", 0.6, None, is_floor=False),
    Target("1,000 come back, database", "KB/stream", "naive", 0.6, None, is_floor=False),
    Target("1,000 come back, memory", "total s", "nchan", 1.25, 0.9, is_floor=False),
    Target("1,000 come back, memory", "CPU s", "nchan", 1.25, 0.9, is_floor=False),
    *(
        target
        for readers in (10, 499)
        for target in (
            Target(f"{readers} beside a stalled one", "cut", None, 1.0, None),
            Target(f"{readers} beside a stalled one", "RSS +MB", None, 1.0, None, is_floor=False),
            Target(f"{readers} beside a stalled one", "p99 / without", None, 1.5, None, is_floor=False),
        )
    ),
)


def table(entries: Sequence[Entry]) -> Iterator[str]:
    """A block a cell, a row a contender: medians over the repeats."""
    for cell in dict.fromkeys(entry.cell for entry in entries):
        own = [entry for entry in entries if entry.cell == cell]
        names = tuple(dict.fromkeys(name for entry in own for name in entry.figures))
        yield f"\n{cell:28}" + "".join(f"{name:>15}" for name in names)
        for contender in dict.fromkeys(entry.contender for entry in own):
            found = [entry.figures for entry in own if entry.contender == contender]
            yield f"  {contender:26}" + "".join(_cell(name, found) for name in names)


def _cell(name: str, found: Sequence[dict[str, float]]) -> str:
    values = [figures[name] for figures in found if name in figures]
    if not values:
        return f"{'-':>15}"
    median = statistics.median(values)
    return f"{median:>15,.{0 if median >= 1000 else 2 if median < 10 else 1}f}"


def verdicts(entries: Sequence[Entry]) -> Iterator[str]:
    yield f"\n{'ours, against':58}{'must':>8}{'stretch':>8}{'found':>8}"
    for target in TARGETS:
        found = list(target.values(entries))
        if not found:
            continue
        value = statistics.median(found)
        what = f"{target.figure}, {target.cell}" + (f" / {target.against}" if target.against else "")
        sign = ">=" if target.is_floor else "<="
        bounds = "".join(f"{'' if bound is None else f'{sign}{bound:g}':>8}" for bound in (target.must, target.stretch))
        yield f"{what:58}{bounds}{value:8.2f}  {target.verdict(value)}"
    faults: Counter[str] = Counter()
    for entry in entries:
        faults[entry.contender] += int(entry.figures["faults"])
    told = ", ".join(f"{name} {count}" for name, count in faults.items())
    yield f"events missing, twice, out of order or with a wrong id, streams refused or ended: {told} (ours must have 0)"
