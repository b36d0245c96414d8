"""The abbreviations a module spells out: "adenosine triphosphate (ATP)"."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jobs.offline.languages import Kind, Language
from jobs.offline.statements import Statement
from jobs.offline.terms import is_acronym

BRACKETED = re.compile(r"(?P<before>[^()]{3,90}) \((?P<acronym>[^\s()]{2,12})\)")
SPELLED_OUT = re.compile(r"(?P<acronym>[^\s()]{2,12}) \((?P<expansion>[^()]{6,80})\)")
EXTRA_WORDS_MAX = 2
BARRED = frozenset({Kind.FINITE, Kind.PRONOUN, Kind.MARK})


@dataclass(frozen=True, slots=True)
class Acronym:
    statement: Statement
    short: str
    expansion: str


def acronyms_in(statements: Iterable[Statement], language: Language) -> list[Acronym]:
    """One expansion an abbreviation, the first in the text."""
    found: dict[str, Acronym] = {}
    for statement in statements:
        for acronym in _acronyms(statement, language):
            found.setdefault(acronym.short, acronym)
    return list(found.values())


def _acronyms(statement: Statement, language: Language) -> Iterator[Acronym]:
    for match in BRACKETED.finditer(statement.text):
        expansion = _expansion(match["before"], match["acronym"])
        start = match.end("before") - len(expansion)
        if expansion and _is_phrase(statement, start, match.end("before")):
            yield Acronym(statement, match["acronym"], _written_inside(statement, start, expansion, language))
    for match in SPELLED_OUT.finditer(statement.text):
        expansion = match["expansion"]
        if _expansion(expansion, match["acronym"]) == expansion and _is_phrase(statement, *match.span("expansion")):
            yield Acronym(statement, match["acronym"], expansion)


def _expansion(before: str, acronym: str) -> str:
    """The fewest last words of `before` that `acronym` abbreviates; empty when none do."""
    letters = [char.lower() for char in acronym if char.isalnum()]
    if not is_acronym(acronym) or sum(char.isalpha() for char in acronym) < 2:
        return ""
    words = before.split(" ")
    for count in range(1, min(len(words), len(letters) + EXTRA_WORDS_MAX) + 1):
        window = " ".join(words[-count:])
        if _abbreviates(letters, window) and len(window) > len(acronym) + 2:
            return window
    return ""


def _abbreviates(letters: list[str], window: str) -> bool:
    if window[:1].lower() != letters[0] or is_acronym(re.split("[ -]", window, maxsplit=1)[0]):
        return False
    rest = iter(window.lower())
    return all(letter in rest for letter in letters) and _initials_fit(letters, window)


def _initials_fit(letters: list[str], window: str) -> bool:
    """At least half of the words' first letters take part, so that chance hits inside long words don't count."""
    initials = [part[0].lower() for part in re.split(r"[\s/-]+", window) if part and part[0].isalpha()]
    return sum(initial in letters for initial in initials) * 2 >= len(initials)


def _is_phrase(statement: Statement, start: int, end: int) -> bool:
    inside = [token for token in statement.tokens if token.start >= start and token.end <= end]
    return bool(inside) and not any(token.kind in BARRED and token.text not in "-/" for token in inside)


def _written_inside(statement: Statement, start: int, expansion: str, language: Language) -> str:
    """The expansion as it would stand inside a sentence, without the capital of the sentence's first word."""
    is_name = language.grammar.nouns_are_capitalised or any(word[0].isupper() for word in expansion.split()[1:])
    if start > 0 or is_name:
        return expansion
    return expansion[0].lower() + expansion[1:]
