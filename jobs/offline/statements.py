"""A sentence with its words tagged, and the noun phrases in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.offline.languages import Kind, Language
from jobs.offline.sentences import Sentence
from jobs.offline.tokens import Token

HEADS = frozenset({Kind.NOUN, Kind.NAME})
MODIFIERS = frozenset({Kind.ADJECTIVE, Kind.PARTICIPLE})
PHRASE_WORDS_MAX = 6
MISTAGGED_RARITY_MIN = 13.5
CLAUSE_MARKS = frozenset(",;:()\u2013\u2014")
CLAUSE_OPENERS = frozenset({Kind.CONJUNCTION, Kind.PRONOUN})
COORDINATORS = frozenset({"and", "or", "und", "oder"})
NAME_PARTICLES = frozenset({"van", "von", "de", "der", "den", "di", "du", "la", "le", "zu"})
LABEL = re.compile(r"[IVX]+|[A-Z]")
VERB_FORMS = frozenset({Kind.FINITE, Kind.VERB})


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that stands alone. `index` is its place among the statements of the module."""

    index: int
    sentence: Sentence
    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        return self.sentence.text

    def slice(self, first: int, last: int) -> str:
        """The text from token `first` up to and including token `last`."""
        return self.text[self.tokens[first].start : self.tokens[last].end]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase without its determiner: tokens `first` to `last` of a statement, the head last."""

    first: int
    last: int


def is_statement(tokens: tuple[Token, ...], language: Language) -> bool:
    """Whether the words tell something: a finite verb, and it does not open the sentence (an order to the reader)."""
    if not any(_is_verbal(token) for token in tokens):
        return False
    if _refers_back(tokens, language):
        return False
    opening = tokens[0]
    return opening.kind not in VERB_FORMS or (language.grammar.verbs_stand_second and opening.kind is Kind.VERB)


def _refers_back(tokens: tuple[Token, ...], language: Language) -> bool:
    """Whether a pronoun comes before anything it could stand for."""
    habits = language.habits
    seen: set[Kind] = set()
    has_several = False
    for token in tokens:
        if token.lower in habits.person_words and Kind.NAME not in seen:
            return True
        if token.lower in habits.plural_words and not has_several:
            return True
        if token.lower in habits.thing_words and seen.isdisjoint(HEADS):
            return True
        seen.add(token.kind)
        has_several = has_several or token.is_plural or token.lower in COORDINATORS
    return False


def phrases(tokens: tuple[Token, ...]) -> Iterator[Phrase]:
    """The noun phrases of a sentence. None in a clause without a verb where the tagger took it for a noun."""
    for first, last in _clauses(tokens):
        found = list(_runs(tokens, first, last))
        if any(token.kind is Kind.FINITE for token in tokens[first : last + 1]):
            yield from found
        else:
            yield from (phrase for phrase in found if not _hides_verb(tokens, phrase))


def _is_verbal(token: Token) -> bool:
    return token.kind is Kind.FINITE or token.may_be_verb


def _clauses(tokens: tuple[Token, ...]) -> Iterator[tuple[int, int]]:
    first = 0
    for place, token in enumerate(tokens):
        if token.text in CLAUSE_MARKS or (token.kind in CLAUSE_OPENERS and token.lower not in COORDINATORS):
            yield first, place - 1
            first = place + 1
    yield first, len(tokens) - 1


def _hides_verb(tokens: tuple[Token, ...], phrase: Phrase) -> bool:
    return any(token.may_be_verb for token in tokens[phrase.first + 1 : phrase.last + 1]) or any(
        token.is_plural for token in tokens[phrase.first : phrase.last]
    )


def _runs(tokens: tuple[Token, ...], first: int, last: int) -> Iterator[Phrase]:
    opened: int | None = None
    for place in range(first, last + 1):
        if opened is not None and tokens[place].kind in MODIFIERS and tokens[place - 1].kind in HEADS:
            yield from _phrase(tokens, opened, place - 1)
            opened = None
        if _belongs(tokens, place):
            opened = place if opened is None else opened
            continue
        yield from _phrase(tokens, opened, place - 1)
        opened = None
    yield from _phrase(tokens, opened, last)


def _belongs(tokens: tuple[Token, ...], place: int) -> bool:
    token = tokens[place]
    if token.lower in NAME_PARTICLES and 0 < place < len(tokens) - 1:
        return all(
            tokens[side].text[0].isupper() and tokens[side].kind is not Kind.NOUN for side in (place - 1, place + 1)
        )
    return token.kind in HEADS or token.kind in MODIFIERS or _numbers_noun(tokens, place)


def _numbers_noun(tokens: tuple[Token, ...], place: int) -> bool:
    """ "Photosystem I", "vitamin C"."""
    return place > 0 and tokens[place - 1].kind is Kind.NOUN and LABEL.fullmatch(tokens[place].text) is not None


def _phrase(tokens: tuple[Token, ...], first: int | None, last: int) -> Iterator[Phrase]:
    if first is None:
        return
    while last >= first and not _can_head(tokens, last):
        last -= 1
    if last >= first:
        yield Phrase(max(first, last - PHRASE_WORDS_MAX + 1), last)


def _can_head(tokens: tuple[Token, ...], place: int) -> bool:
    """A noun or a name; also a rare "adjective" after an article or preposition: the tagger's guess at a new noun."""
    token = tokens[place]
    if token.kind in HEADS or _numbers_noun(tokens, place):
        return True
    follows = tokens[place - 1].kind if place else Kind.DETERMINER
    precedes = tokens[place + 1].kind if place + 1 < len(tokens) else Kind.MARK
    return (
        token.kind is Kind.ADJECTIVE
        and token.rarity >= MISTAGGED_RARITY_MIN
        and "-" not in token.text
        and follows in {Kind.DETERMINER, Kind.PREPOSITION, Kind.NOUN}
        and precedes in {Kind.FINITE, Kind.MARK, Kind.PREPOSITION, Kind.CONJUNCTION}
    )
