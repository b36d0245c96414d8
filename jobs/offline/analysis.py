"""What the generator knows about a module: read once, used by every batch that asks about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jobs.offline import genders
from jobs.offline.acronyms import Acronym, acronyms_in
from jobs.offline.definitions import Definition, definitions_in
from jobs.offline.languages import Language
from jobs.offline.numbers import Number, grouped, numbers_in
from jobs.offline.sentences import Sentence, standing_alone
from jobs.offline.statements import Statement, is_statement
from jobs.offline.terms import Lexicon, lexicon_of

CHARACTERS_MAX = 1_000_000
SENTENCES_MAX = 3000


class Stopped(Exception):
    """The analysis was given up: nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """`text` is the module; `genera` are the words that definitions put things under: "an *enzyme* that ..."."""

    text: str
    language: Language
    statements: tuple[Statement, ...]
    lexicon: Lexicon
    definitions: tuple[Definition, ...]
    acronyms: tuple[Acronym, ...]
    numbers: tuple[Number, ...]
    number_groups: dict[str, tuple[str, ...]]
    genera: frozenset[str]


def analyse(text: str, language: Language, is_stopped: Callable[[], bool]) -> Analysis:
    """Read `text` (up to a million characters of it). Takes 0.4 s a 10,000 words; raises Stopped.

    Of more than 3,000 usable sentences, as many are taken evenly from the whole text.
    """

    def go_on() -> None:
        if is_stopped():
            raise Stopped

    sentences = _evenly(standing_alone(text[:CHARACTERS_MAX], language, go_on), SENTENCES_MAX)
    statements = _statements(sentences, language, go_on)
    lexicon = lexicon_of(statements, language)
    if language.grammar.genders:
        genders.assign(lexicon.terms.values(), language.grammar)
    definitions = tuple(definitions_in(statements, lexicon, language))
    numbers = tuple(numbers_in(statements, language))
    return Analysis(
        text=text,
        language=language,
        statements=statements,
        lexicon=lexicon,
        definitions=definitions,
        acronyms=tuple(acronyms_in(statements, language)),
        numbers=numbers,
        number_groups=grouped(numbers),
        genera=frozenset(definition.genus for definition in definitions),
    )


def _evenly(sentences: Iterable[Sentence], count_max: int) -> list[Sentence]:
    """At most `count_max`, without repeated ones (running headers, notices on every page)."""
    first_of: dict[str, Sentence] = {}
    for sentence in sentences:
        first_of.setdefault(sentence.text, sentence)
    unique = list(first_of.values())
    if len(unique) <= count_max:
        return unique
    return [unique[place * len(unique) // count_max] for place in range(count_max)]


def _statements(sentences: list[Sentence], language: Language, go_on: Callable[[], None]) -> tuple[Statement, ...]:
    # Loads numpy (0.2 s), which a worker with another provider never needs.
    from jobs.offline.tagging import tagger_for  # noqa: PLC0415

    tagger = tagger_for(language)
    statements: list[Statement] = []
    for sentence in sentences:
        go_on()
        tokens = tagger.tokens(sentence.text)
        if is_statement(tokens, language):
            statements.append(Statement(len(statements), sentence, tokens))
    return tuple(statements)
