"""The terms of a module: which words are worth asking about, how often they occur and in which company."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from math import log

from jobs.offline.languages import Kind, Language
from jobs.offline.statements import HEADS, MODIFIERS, NAME_PARTICLES, Phrase, Statement, phrases
from jobs.offline.tokens import RARITY_MAX, Token

COMMON_RARITY = 8.0
MODIFIER_RARITY_MIN = 12.0
ADJECTIVE_RARITY_MIN = 8.4
PHRASE_RARITY_MIN = 9.8
SINGLE_RARITY_MIN = 10.5
FREQUENT_RARITY_MIN = 9.3
FREQUENT_COUNT = 3
TERM_WORDS_MAX = 4


LETTER_COMPOUND = re.compile(r"[A-Z]-[a-z]")
NUMERAL = re.compile(r"[IVX]+|.")


class Shape(Enum):
    """Options of one question have one shape."""

    ACRONYM = "acronym"
    NAME = "name"
    COMMON = "common"


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a term stands: tokens `first` to `last` of statement `statement`, after determiner `frame`."""

    statement: int
    first: int
    last: int
    frame: str


@dataclass(slots=True)
class Term:
    """A noun phrase as the module writes it. Filled while the lexicon is built, only read afterwards."""

    key: str
    text: str
    shape: Shape
    is_plural: bool
    rarity: float
    words: tuple[str, ...]
    mentions: list[Mention] = field(default_factory=list)
    frames: set[str] = field(default_factory=set)
    company: set[str] = field(default_factory=set)
    salience: float = 0.0
    is_defined: bool = False
    gender: str = ""

    @property
    def count(self) -> int:
        return len(self.mentions)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every term of the module by its key, and the mentions in each statement."""

    terms: dict[str, Term]
    in_statement: dict[int, tuple[tuple[Term, Mention], ...]]


def lexicon_of(statements: tuple[Statement, ...], language: Language) -> Lexicon:
    found = {statement.index: list(phrases(statement.tokens)) for statement in statements}
    counts = Counter(
        key for statement in statements for phrase in found[statement.index] for key in _suffixes(statement, phrase)
    )
    capitals = _capitals(statements)
    terms: dict[str, Term] = {}
    in_statement: dict[int, tuple[tuple[Term, Mention], ...]] = {}
    for statement in statements:
        cores = [_core(statement, phrase, counts, language) for phrase in found[statement.index]]
        in_statement[statement.index] = tuple(_mentioned(statement, core, terms, capitals, language) for core in cores)
    _weigh(terms)
    return Lexicon(terms, in_statement)


def is_worth_asking(term: Term, language: Language) -> bool:
    """Whether the term is specific enough to be the answer of a question."""
    if "'" in term.key or "\u2019" in term.key or term.words[-1] in language.grammar.calendar:
        return False
    if term.is_defined or term.shape is not Shape.COMMON:
        return len(term.key) > 1
    if len(term.key) < 3 or not term.key[0].isalnum():
        return False
    rarity_min = PHRASE_RARITY_MIN if len(term.words) > 1 else SINGLE_RARITY_MIN
    if term.words[-1] in language.habits.generic:
        return len(term.words) > 1 and term.count > 1 and term.rarity >= rarity_min
    return term.rarity >= rarity_min or (term.rarity >= FREQUENT_RARITY_MIN and term.count >= FREQUENT_COUNT)


def frame_of(tokens: tuple[Token, ...], first: int, language: Language) -> str:
    """What stands before a noun and limits which other nouns fit: the article as the grammar sees it, or nothing."""
    place = first - 1
    while place >= 0 and tokens[place].kind in MODIFIERS | {Kind.ADVERB, Kind.NUMBER}:
        place -= 1
    return language.grammar.frames.get(tokens[place].lower, "") if place >= 0 else ""


def _suffixes(statement: Statement, phrase: Phrase) -> Iterator[str]:
    for first in range(phrase.first, phrase.last + 1):
        yield statement.slice(first, phrase.last).casefold()


def _core(statement: Statement, phrase: Phrase, counts: Counter[str], language: Language) -> Phrase:
    """The phrase without modifiers that are not part of a fixed term: "a large *field*", "*thylakoid membrane*"."""
    first = max(phrase.first, _name_start(statement.tokens, phrase))
    while first < phrase.last and not _is_fixed(statement, first, phrase.last, counts, language):
        first += 1
    return Phrase(first, phrase.last)


def _name_start(tokens: tuple[Token, ...], phrase: Phrase) -> int:
    """Where the name begins in "the botanist *Konstantin Mereschkowski*"; the phrase's own start if there is none."""
    place = phrase.last
    while place >= phrase.first and (tokens[place].text[0].isupper() or tokens[place].lower in NAME_PARTICLES):
        place -= 1
    is_name = place < phrase.last and not NUMERAL.fullmatch(tokens[place + 1].text) and tokens[place].kind is Kind.NOUN
    return place + 1 if is_name else phrase.first


def _is_fixed(statement: Statement, first: int, last: int, counts: Counter[str], language: Language) -> bool:
    """Whether the phrase from `first` on is a term of its own rather than one with an epithet."""
    token = statement.tokens[first]
    if token.kind is Kind.ADJECTIVE and token.text[0].isupper() and first > 0:
        return True
    if last - first > TERM_WORDS_MAX - 1 or _is_epithet(token, language):
        return False
    if counts[statement.slice(first, last).casefold()] > 1:
        return True
    if last - first > 1 and counts[statement.slice(first + 1, last).casefold()] > 1:
        return False
    return token.kind in HEADS or token.rarity >= MODIFIER_RARITY_MIN


def _is_epithet(token: Token, language: Language) -> bool:
    if token.kind is Kind.ADJECTIVE and token.rarity < ADJECTIVE_RARITY_MIN:
        return True
    if token.kind is Kind.PARTICIPLE and token.lower.endswith("ing"):
        return True
    return token.lower in language.habits.generic


def _mentioned(
    statement: Statement, core: Phrase, terms: dict[str, Term], capitals: set[str], language: Language
) -> tuple[Term, Mention]:
    mention = Mention(statement.index, core.first, core.last, frame_of(statement.tokens, core.first, language))
    key = statement.slice(core.first, core.last).casefold()
    if key not in terms:
        terms[key] = _term(statement, core, capitals, language)
    term = terms[key]
    term.mentions.append(mention)
    term.frames.add(mention.frame)
    term.company.update(_company(statement.tokens, mention))
    agreement = _agreement(statement.tokens, mention, language)
    term.is_plural = term.is_plural if agreement is None else agreement
    return term, mention


def _agreement(tokens: tuple[Token, ...], mention: Mention, language: Language) -> bool | None:
    """Whether the verb after a subject says that it is plural; the tagger can't know the number of new words."""
    place = mention.first - 1
    while place >= 0 and tokens[place].kind in MODIFIERS | {Kind.DETERMINER, Kind.NOUN}:
        place -= 1
    if mention.last + 1 == len(tokens) or (place >= 0 and tokens[place].kind is not Kind.MARK):
        return None
    return language.grammar.agreement.get(tokens[mention.last + 1].lower)


def _term(statement: Statement, core: Phrase, capitals: set[str], language: Language) -> Term:
    text = statement.slice(core.first, core.last)
    tokens = statement.tokens[core.first : core.last + 1]
    shape = _shape(tokens, capitals, language)
    is_lower = not language.grammar.nouns_are_capitalised or tokens[0].kind in MODIFIERS
    if core.first == 0 and shape is Shape.COMMON and is_lower and tokens[0].lower not in capitals:
        text = text if is_acronym(tokens[0].text) else text[0].lower() + text[1:]
    return Term(
        key=text.casefold(),
        text=text,
        shape=shape,
        is_plural=tokens[-1].is_plural and (shape is Shape.COMMON or text.endswith("s")),
        rarity=max(token.rarity for token in tokens),
        words=tuple(token.lower for token in tokens),
    )


def is_acronym(word: str) -> bool:
    return any(char.isupper() for char in word[1:]) or (any(map(str.isdigit, word)) and any(map(str.isalpha, word)))


def _shape(tokens: tuple[Token, ...], capitals: set[str], language: Language) -> Shape:
    if len(tokens) == 1 and is_acronym(tokens[0].text) and "-" not in tokens[0].text:
        return Shape.ACRONYM
    if LETTER_COMPOUND.match(tokens[-1].text) or not all(
        token.text[0].isupper() or token.lower in NAME_PARTICLES for token in tokens
    ):
        return Shape.COMMON
    if language.grammar.nouns_are_capitalised:
        return Shape.NAME if all(token.kind is Kind.NAME for token in tokens) else Shape.COMMON
    return Shape.NAME if any(token.lower in capitals for token in tokens) else Shape.COMMON


def _capitals(statements: tuple[Statement, ...]) -> set[str]:
    """Words written with a capital inside a sentence and never without."""
    inside = [
        token
        for statement in statements
        for before, token in pairwise(statement.tokens)
        if before.kind is not Kind.MARK or token.text[0].islower()
    ]
    small = {token.text for token in inside if token.text[0].islower()}
    return {token.lower for token in inside if token.text[0].isupper()} - small


def _company(tokens: tuple[Token, ...], mention: Mention) -> Iterator[str]:
    """The words next to a mention. Terms that keep the same company are of the same kind."""
    before = mention.first - 1
    if before >= 0 and tokens[before].kind is Kind.DETERMINER:
        before -= 1
    if before >= 0:
        yield f"{tokens[before].lower} _"
    if mention.last + 1 < len(tokens):
        yield f"_ {tokens[mention.last + 1].lower}"


def _weigh(terms: dict[str, Term]) -> None:
    """Salience, 0 to 1: often here, rare elsewhere."""
    most = max((term.count for term in terms.values()), default=1)
    for term in terms.values():
        frequency = log(1 + term.count) / log(1 + max(most, FREQUENT_COUNT))
        rarity = (min(term.rarity, RARITY_MAX) - COMMON_RARITY) / (RARITY_MAX - COMMON_RARITY)
        marked = 1.0 if term.shape is not Shape.COMMON or len(term.words) > 1 else 0.0
        term.salience = 0.45 * max(0.0, rarity) + 0.4 * frequency + 0.15 * marked
