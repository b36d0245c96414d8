"""Sentences whose subject can be asked for: "Who discovered ...?", "What fixes ...?", "In which year ...?"."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.offline.analysis import Analysis
from jobs.offline.gaps import Gap, gaps_in
from jobs.offline.languages import Kind, Language
from jobs.offline.numbers import NumberKind
from jobs.offline.statements import Statement
from jobs.offline.terms import Mention, Shape, Term

REST_WORDS_MIN = 3
REST_WORDS_MAX = 24
SPECIFIC_RARITY_MIN = 14.0
INDEFINITE = "a"
BARRED = frozenset(";:")


@dataclass(frozen=True, slots=True)
class SubjectQuestion:
    """`rest` is the sentence after its subject `key`, without the full stop."""

    gap: Gap
    key: str
    rest: str
    is_person: bool
    is_plural: bool


@dataclass(frozen=True, slots=True)
class YearQuestion:
    """`sentence` is the statement without its only year, `key`."""

    gap: Gap
    key: str
    sentence: str


def subject_questions(analysis: Analysis) -> Iterator[SubjectQuestion]:
    defined = {definition.statement.index for definition in analysis.definitions}
    for gap in gaps_in(analysis):
        if gap.term is None or gap.first > 1 or gap.statement.index in defined:
            continue
        question = _subject_question(gap, analysis.language)
        if question is not None:
            yield question


def _subject_question(gap: Gap, language: Language) -> SubjectQuestion | None:
    statement = gap.statement
    tokens = statement.tokens
    if gap.first == 1 and tokens[0].kind is not Kind.DETERMINER:
        return None
    last = _end_of_names(gap, statement)
    if last + 1 >= len(tokens) or tokens[last + 1].kind is not Kind.FINITE:
        return None
    rest = statement.text[tokens[last + 1].start :].rstrip(".")
    if not REST_WORDS_MIN <= len(rest.split()) <= REST_WORDS_MAX or BARRED & set(rest):
        return None
    assert gap.term is not None, "checked by the caller"
    if not _is_specific(gap.term, gap.mention):
        return None
    is_person = gap.term.shape is Shape.NAME and tokens[last + 1].lower in language.grammar.human_verbs
    if last > gap.last and not is_person:
        return None
    key = statement.slice(gap.first, last) if last > gap.last else gap.key
    return SubjectQuestion(gap, key, rest, is_person, gap.term.is_plural or last > gap.last)


def _is_specific(term: Term, mention: Mention | None) -> bool:
    """ "A mistake can lead to ..." and "The filter is ..." tell nothing that could be asked for."""
    if term.is_defined or term.shape is not Shape.COMMON:
        return True
    is_indefinite = mention is not None and mention.frame == INDEFINITE
    return not is_indefinite and (len(term.words) > 1 or term.rarity >= SPECIFIC_RARITY_MIN)


def _end_of_names(gap: Gap, statement: Statement) -> int:
    """The last token of "Robert Hill and Fay Bendall"."""
    assert gap.term is not None, "checked by the caller"
    if gap.term.shape is not Shape.NAME:
        return gap.last
    place = gap.last
    while place + 1 < len(statement.tokens):
        token = statement.tokens[place + 1]
        if token.kind is not Kind.NAME and token.lower not in {",", "and", "und"} and not token.text[0].isupper():
            break
        place += 1
    return place


def year_questions(analysis: Analysis) -> Iterator[YearQuestion]:
    for gap in gaps_in(analysis):
        if gap.number is None or gap.number.kind is not NumberKind.YEAR:
            continue
        sentence = _without_year(gap.statement, analysis.language)
        if sentence is not None:
            yield YearQuestion(gap, gap.key, sentence)


def _without_year(statement: Statement, language: Language) -> str | None:
    found = list(language.grammar.year.finditer(statement.text))
    years = [token for token in statement.tokens if len(token.text) == 4 and token.text.isdigit()]
    if len(found) != 1 or len(years) != 1:
        return None
    match = found[0]
    if match.start() == 0:
        if language.grammar.verbs_stand_second:
            return None
        rest = statement.text[match.end() :].lstrip(" ,")
        return rest[0].upper() + rest[1:]
    return statement.text[: match.start()] + statement.text[match.end() :]
