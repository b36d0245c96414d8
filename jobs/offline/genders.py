"""The grammatical gender of nouns, from the articles they stand with: wrong answers must fit the article, too."""

from collections.abc import Iterable

from jobs.offline.languages import Grammar
from jobs.offline.terms import Term

ENDING_MIN = 5


def assign(terms: Iterable[Term], grammar: Grammar) -> None:
    """Set `gender` where the module tells it; a compound has the gender of its last part."""
    singular = [term for term in terms if not term.is_plural]
    known: dict[str, str] = {}
    for term in singular:
        head = term.words[-1]
        genders = known.get(head, "mfn")
        for frame in term.frames:
            genders = "".join(gender for gender in grammar.genders.get(frame, genders) if gender in genders)
        known[head] = genders
    settled = {head: genders for head, genders in known.items() if len(genders) == 1}
    for term in singular:
        head = term.words[-1]
        term.gender = settled.get(head) or _guess(head, known[head], settled, grammar)


def _guess(head: str, possible: str, settled: dict[str, str], grammar: Grammar) -> str:
    for start in range(1, len(head) - ENDING_MIN + 1):
        if head[start:] in settled:
            return settled[head[start:]]
    endings = (gender for ending, gender in grammar.gender_endings.items() if head.endswith(ending))
    return next((gender for gender in endings if gender in possible), "")
