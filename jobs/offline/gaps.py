"""Where a sentence can be blanked: the term or number that a reader should be able to fill in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jobs import cues
from jobs.offline.analysis import Analysis
from jobs.offline.languages import Kind
from jobs.offline.numbers import Number, NumberKind
from jobs.offline.statements import Statement
from jobs.offline.terms import Mention, Shape, Term, is_acronym, is_worth_asking
from jobs.offline.tokens import Token

BLANK = "____"
SHARED_LETTERS_MIN = 5
CONTEXT_FULL = 3
COMPANY_MIN = 2
LONG_WORDS = 25
VAGUE_RARITY = 12.0
SPECIFIC_RARITY = 14.5
DEFINITE = frozenset({"the", "der", "die", "das", "dem", "den"})
SPECIFIERS = frozenset(
    {"of", "that", "which", "who", "between", "by", "der", "des", "von", "eines", "einer", "zwischen"}
)
SALIENCE_OF_NUMBERS = 0.3
BONUS_OF_YEARS = 0.1
BONUS_OF_NUMBERS = 0.05


@dataclass(frozen=True, slots=True)
class TermGap:
    """A statement without one of its terms."""

    statement: Statement
    term: Term
    mention: Mention
    merit: float
    tag: ClassVar[str] = "term"

    @property
    def first(self) -> int:
        return self.mention.first

    @property
    def last(self) -> int:
        return self.mention.last

    @property
    def salience(self) -> float:
        return self.term.salience

    @property
    def key(self) -> str:
        return self.statement.slice(0, self.last) if self.first == 0 else self.term.text


@dataclass(frozen=True, slots=True)
class NumberGap:
    """A statement without one of its numbers."""

    statement: Statement
    number: Number
    merit: float
    tag: ClassVar[str] = "number"

    @property
    def first(self) -> int:
        return self.number.place

    @property
    def last(self) -> int:
        return self.number.place

    @property
    def salience(self) -> float:
        return SALIENCE_OF_NUMBERS

    @property
    def key(self) -> str:
        return self.number.text


Gap = TermGap | NumberGap


def gaps_in(analysis: Analysis) -> Iterator[Gap]:
    yield from term_gaps(analysis)
    yield from number_gaps(analysis)


def term_gaps(analysis: Analysis) -> Iterator[TermGap]:
    for statement in analysis.statements:
        for term, mention in analysis.lexicon.in_statement[statement.index]:
            if (
                is_worth_asking(term, analysis.language)
                and not _is_bracketed(statement, mention)
                and not is_visible(term.words, statement, mention.first, mention.last)
            ):
                merit = _sentence_merit(statement, analysis) + _place_merit(statement, term, mention, analysis)
                yield TermGap(statement, term, mention, merit)


def number_gaps(analysis: Analysis) -> Iterator[NumberGap]:
    for number in analysis.numbers:
        statement, text = number.statement, number.text.lower()
        if sum(token.lower == text for token in statement.tokens) == 1:
            bonus = BONUS_OF_YEARS if number.kind is NumberKind.YEAR else BONUS_OF_NUMBERS
            yield NumberGap(statement, number, _sentence_merit(statement, analysis) + bonus)


def blanked(statement: Statement, first: int, last: int, articles: dict[str, str]) -> str:
    """The sentence with a gap. `articles` says how to write an article that would give the answer away."""
    start, end = statement.tokens[first].start, statement.tokens[last].end
    before = statement.text[:start]
    article = statement.tokens[first - 1] if first else None
    if article is not None and article.lower in articles:
        neutral = articles[article.lower]
        before = before[: article.start] + (neutral.capitalize() if article.start == 0 else neutral) + " "
    return before + BLANK + statement.text[end:]


def is_visible(key: tuple[str, ...], statement: Statement, first: int, last: int) -> bool:
    """Whether the rest of the sentence names the key, a part of it or a compound with it."""
    rest = [token.lower for place, token in enumerate(statement.tokens) if not first <= place <= last]
    return any(_resembles(word, other) for word in key for other in rest)


def _resembles(word: str, other: str) -> bool:
    if word == other:
        return len(word) > 2 or is_acronym(word.upper()) or word.isalpha()
    shorter, longer = sorted((word, other), key=len)
    return len(shorter) >= SHARED_LETTERS_MIN and (shorter in longer or shorter[:-1] in longer)


def _is_bracketed(statement: Statement, mention: Mention) -> bool:
    """Inside brackets, or spelled out in brackets right after: the other half would give it away."""
    tokens = statement.tokens
    opens = mention.last + 2 < len(tokens) and tokens[mention.last + 1].text == "("
    return (mention.first > 0 and tokens[mention.first - 1].text == "(") or opens


def _sentence_merit(statement: Statement, analysis: Analysis) -> float:
    """How well the rest of the sentence leads to one answer: named company helps; length and vague words hurt."""
    mentions = analysis.lexicon.in_statement[statement.index]
    company = sum(is_worth_asking(term, analysis.language) for term, _ in mentions)
    merit = 0.3 + 0.3 * min(company, CONTEXT_FULL + 1) / (CONTEXT_FULL + 1)
    if company < COMPANY_MIN and not any(token.kind is Kind.NUMBER for token in statement.tokens):
        merit -= 0.2
    merit -= 0.02 * max(0, len(statement.tokens) - LONG_WORDS)
    if statement.sentence.is_list_entry:
        merit -= 0.15
    if cues.is_negative(statement.text, analysis.language.code):
        merit -= 0.08
    if cues.has_absolute_term(statement.text, analysis.language.code):
        merit -= 0.04
    if _opens_vaguely(statement):
        merit -= 0.2
    merit -= 0.08 * sum(_is_vague(statement.tokens, place) for place in range(len(statement.tokens) - 2))
    if any(
        token.kind is Kind.PRONOUN and token.lower in analysis.language.habits.openers for token in statement.tokens
    ):
        merit -= 0.08
    return merit


def _opens_vaguely(statement: Statement) -> bool:
    """ "The program asks ...": which one was said in the sentence before."""
    return _is_vague(statement.tokens, 0)


def _is_vague(tokens: tuple[Token, ...], place: int) -> bool:
    """A definite article before a common noun that nothing defines further: "tested the theory in 1966"."""
    article, noun, follows = tokens[place : place + 3]
    return (
        article.lower in DEFINITE
        and noun.kind is Kind.NOUN
        and noun.rarity < VAGUE_RARITY
        and follows.kind not in {Kind.NOUN, Kind.NAME, Kind.PRONOUN, Kind.PARTICIPLE}
        and follows.lower not in SPECIFIERS
    )


def _continues_name(tokens: tuple[Token, ...], mention: Mention, analysis: Analysis) -> bool:
    """Whether the word before belongs to the name as well."""
    if mention.first == 0 or analysis.language.grammar.nouns_are_capitalised:
        return False
    before = tokens[mention.first - 1]
    return before.text[0].isupper() and before.kind is not Kind.DETERMINER and tokens[mention.first].text[0].isupper()


def _place_merit(statement: Statement, term: Term, mention: Mention, analysis: Analysis) -> float:
    tokens = statement.tokens
    merit = 0.15 if mention.first <= 1 else 0.0
    if term.key in analysis.genera:
        merit -= 0.3
    if term.shape is Shape.COMMON and len(term.words) == 1 and not term.is_defined:
        merit -= 0.02 * max(0.0, SPECIFIC_RARITY - term.rarity) * 3
    if term.is_defined and mention.first <= 1:
        merit += 0.1
    if _continues_name(tokens, mention, analysis):
        merit -= 0.3
    before = tokens[mention.first - 1] if mention.first else None
    if before is not None and before.kind in {Kind.ADJECTIVE, Kind.PARTICIPLE, Kind.NOUN, Kind.NAME}:
        merit -= 0.12
    neighbours = {tokens[place].lower for place in (mention.first - 1, mention.last + 1) if 0 <= place < len(tokens)}
    if neighbours & {"and", "or", "und", "oder"}:
        merit -= 0.1
    return merit
