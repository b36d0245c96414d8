"""What the generator knows about a module: read once, used by every batch that asks about it."""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.offline import genders
from jobs.offline.acronyms import Acronym, acronyms_in
from jobs.offline.definitions import Definition, definitions_in
from jobs.offline.languages import Language
from jobs.offline.numbers import Number, numbers_in
from jobs.offline.sentences import Sentence, standing_alone
from jobs.offline.statements import Statement, is_statement
from jobs.offline.terms import Lexicon, lexicon_of

CHARACTERS_MAX = 2_000_000
SENTENCES_MAX = 3000


class Stopped(Exception):
    """The analysis was given up: nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """`genera` are the words that definitions put things under: "an *enzyme* that ..."."""

    language: Language
    statements: tuple[Statement, ...]
    lexicon: Lexicon
    definitions: tuple[Definition, ...]
    acronyms: tuple[Acronym, ...]
    numbers: tuple[Number, ...]
    genera: frozenset[str]


def analyse(text: str, language: Language, is_stopped: Callable[[], bool]) -> Analysis:
    """Read `text` (up to two million characters of it). Takes 0.4 s a 10,000 words; raises Stopped.

    Of more than 3,000 usable sentences, as many are taken evenly from the whole text.
    """
    sentences = _evenly(standing_alone(text[:CHARACTERS_MAX], language), SENTENCES_MAX)
    statements = _statements(sentences, language, is_stopped)
    lexicon = lexicon_of(statements, language)
    if language.grammar.genders:
        genders.assign(lexicon.terms.values(), language.grammar)
    definitions = tuple(definitions_in(statements, lexicon, language))
    return Analysis(
        language=language,
        statements=statements,
        lexicon=lexicon,
        definitions=definitions,
        acronyms=tuple(acronyms_in(statements, language)),
        numbers=tuple(numbers_in(statements, language)),
        genera=frozenset(definition.genus for definition in definitions),
    )


def _evenly(sentences: list[Sentence], count_max: int) -> list[Sentence]:
    """At most `count_max`, without repeated ones (running headers, notices on every page)."""
    unique = list({sentence.text: sentence for sentence in reversed(sentences)}.values())[::-1]
    if len(unique) <= count_max:
        return unique
    return [unique[place * len(unique) // count_max] for place in range(count_max)]


def _statements(sentences: list[Sentence], language: Language, is_stopped: Callable[[], bool]) -> tuple[Statement, ...]:
    # Loads numpy (0.2 s), which a worker with another provider never needs.
    from jobs.offline.tagging import tagger_for  # noqa: PLC0415

    tagger = tagger_for(language)
    statements: list[Statement] = []
    for sentence in sentences:
        if is_stopped():
            raise Stopped
        tokens = tagger.tokens(sentence.text)
        if is_statement(tokens, language):
            statements.append(Statement(len(statements), sentence, tokens))
    return tuple(statements)
