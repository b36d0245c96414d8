"""One word of a sentence with what is known about it."""

from dataclasses import dataclass

from jobs.offline.languages import Kind

RARITY_MAX = 16.0


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `text` is `sentence[start:end]`; `rarity` is the negative log of its frequency in general language."""

    text: str
    lower: str
    start: int
    end: int
    kind: Kind
    is_plural: bool
    rarity: float
    may_be_verb: bool
