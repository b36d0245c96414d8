"""What must never be seen in a stream, counted by class, with a few examples of each."""

from collections import Counter
from enum import StrEnum

EXAMPLES_MAX = 5


class Wrong(StrEnum):
    """`order`: an event that was skipped comes later. `early end`: 204 before the terminal event. `wordless end`: of
    an answer, before the log's and without a `bye`. `no end`: a client has not come to it.
    """

    GAP = "gap"
    DUPLICATE = "duplicate"
    ORDER = "order"
    CHANGED = "changed"
    FORM = "form"
    STATUS = "status"
    RESYNC = "resync"
    SNAPSHOT = "snapshot"
    EARLY_END = "early end"
    NO_END = "no end"
    WORDLESS_END = "wordless end"
    SILENCE = "silence"
    LOG = "log"
    PROCESS = "process"


class Findings:
    def __init__(self) -> None:
        self.counts: Counter[Wrong] = Counter()
        self._examples: dict[Wrong, list[str]] = {}

    def add(self, wrong: Wrong, words: str) -> None:
        self.counts[wrong] += 1
        examples = self._examples.setdefault(wrong, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append(words)

    def lines(self) -> tuple[str, ...]:
        return tuple(f"{wrong}: {words}" for wrong, examples in sorted(self._examples.items()) for words in examples)
