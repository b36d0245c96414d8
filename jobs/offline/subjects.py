"""Sentences whose subject can be asked for: "Who discovered ...?", "What fixes ...?", "In which year ...?"."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.offline.analysis import Analysis
from jobs.offline.gaps import NumberGap, TermGap, number_gaps, term_gaps
from jobs.offline.languages import Kind, Language
from jobs.offline.numbers import NumberKind
from jobs.offline.statements import COORDINATORS, Statement
from jobs.offline.terms import Mention, Shape, Term
from jobs.offline.tokens import Token

REST_TOKENS_MIN = 4
REST_TOKENS_MAX = 28
SPECIFIC_RARITY_MIN = 14.0
INDEFINITE = "a"
BARRED = frozenset(";:")


@dataclass(frozen=True, slots=True)
class SubjectQuestion:
    """`rest` is the sentence after its subject `key`, without the full stop. `is_somebody`: certainly a person."""

    gap: TermGap
    key: str
    rest: str
    is_somebody: bool
    may_be_somebody: bool
    is_plural: bool


@dataclass(frozen=True, slots=True)
class YearQuestion:
    """`sentence` is the statement without its only year, `key`."""

    gap: NumberGap
    key: str
    sentence: str


def subject_questions(analysis: Analysis) -> Iterator[SubjectQuestion]:
    defined = {definition.statement.index for definition in analysis.definitions}
    for gap in term_gaps(analysis):
        if gap.statement.index in defined or not _is_specific(gap.term, gap.mention):
            continue
        last = _end_of_names(gap)
        if _opens(gap) and _tells(gap.statement, last + 1, analysis.language):
            question = _subject_question(gap, last, analysis.language)
            if question.is_somebody or last == gap.last:
                yield question


def _subject_question(gap: TermGap, last: int, language: Language) -> SubjectQuestion:
    tokens = gap.statement.tokens
    is_name = gap.term.shape is Shape.NAME
    rest = tokens[last + 1 :]
    return SubjectQuestion(
        gap=gap,
        key=gap.statement.slice(gap.first, last) if last > gap.last else gap.key,
        rest=gap.statement.text[rest[0].start :].rstrip("."),
        is_somebody=is_name and rest[0].lower in language.grammar.human_verbs,
        may_be_somebody=is_name
        and (len(gap.term.words) > 1 or not language.habits.person_words.isdisjoint(token.lower for token in rest)),
        is_plural=gap.term.is_plural or last > gap.last,
    )


def _opens(gap: TermGap) -> bool:
    """Whether the term, with its article at most, begins the sentence."""
    return gap.first == 0 or (gap.first == 1 and gap.statement.tokens[0].kind is Kind.DETERMINER)


def _tells(statement: Statement, place: int, language: Language) -> bool:
    """Whether the words from `place` are a plain predicate of fair length, and more than "is the ..."."""
    rest = statement.tokens[place:]
    if not REST_TOKENS_MIN <= len(rest) <= REST_TOKENS_MAX or rest[0].kind is not Kind.FINITE:
        return False
    if rest[0].lower in language.grammar.copulas and rest[1].kind in {Kind.DETERMINER, Kind.NUMBER}:
        return False
    return not any(token.text in BARRED for token in rest)


def _is_specific(term: Term, mention: Mention) -> bool:
    """ "A mistake can lead to ..." and "The filter is ..." tell nothing that could be asked for."""
    if term.is_defined or term.shape is not Shape.COMMON:
        return True
    return mention.frame != INDEFINITE and (len(term.words) > 1 or term.rarity >= SPECIFIC_RARITY_MIN)


def _end_of_names(gap: TermGap) -> int:
    """The last token of "Robert Hill and Fay Bendall"."""
    tokens, place = gap.statement.tokens, gap.last
    if gap.term.shape is not Shape.NAME:
        return place
    while place + 1 < len(tokens) and _continues_names(tokens[place + 1]):
        place += 1
    return place


def _continues_names(token: Token) -> bool:
    return token.kind is Kind.NAME or token.text == "," or token.lower in COORDINATORS or token.text[0].isupper()


def year_questions(analysis: Analysis) -> Iterator[YearQuestion]:
    for gap in number_gaps(analysis):
        if gap.number.kind is not NumberKind.YEAR:
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
