"""Wrong answers: terms of the same module, of the same make as the key, that do not fit the sentence."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from jobs.offline.analysis import Analysis
from jobs.offline.chance import draw
from jobs.offline.definitions import Definition
from jobs.offline.gaps import TermGap, is_visible
from jobs.offline.languages import Grammar, Kind
from jobs.offline.statements import Statement
from jobs.offline.terms import Mention, Shape, Term, is_worth_asking

WANTED = 3
POOL = 5
SHORT_WORD = 4
OVERLAP_MAX = 0.5
RIVALS_MAX = 400
NEIGHBOURS_MAX = 60
NEAR_STATEMENTS = 60
BODY_LENGTHS = 0.75, 1.7
GENITIVES = frozenset({"des", "eines"})
CONTENT = frozenset({Kind.NOUN, Kind.NAME, Kind.FINITE, Kind.VERB, Kind.PARTICIPLE, Kind.ADJECTIVE})


class Distractors:
    """Finds wrong answers in one module."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        worth = [term for term in analysis.lexicon.terms.values() if is_worth_asking(term, analysis.language)]
        self._terms = sorted(worth, key=lambda term: (-term.salience, term.key))
        self._alike: defaultdict[tuple[Shape, bool], list[Term]] = defaultdict(list)
        for term in self._terms:
            self._alike[term.shape, term.is_plural].append(term)
        self._genus = {definition.key: definition.genus for definition in analysis.definitions}
        self._twins = {
            frozenset((acronym.short.casefold(), acronym.expansion.casefold())) for acronym in analysis.acronyms
        }
        self._place = {definition.key: place for place, definition in enumerate(analysis.definitions)}
        self._content: dict[int, frozenset[str]] = {}

    def for_gap(self, gap: TermGap) -> list[str]:
        """Three terms that are wrong in the gap; fewer when the module has no more."""
        key, mention = gap.term, gap.mention
        rivals = self._alike[key.shape, key.is_plural][:RIVALS_MAX]
        fitting = [term for term in rivals if _fits(term, key, mention, self._analysis.language.grammar)]
        fitting.sort(key=lambda term: (-self._likeness(term, key, gap.statement.index), term.key))
        wrong = (term for term in fitting if self._is_wrong(term, gap))
        return _drawn((term.text for term in wrong), key.text, gap.statement.text)

    def close_to(self, gap: TermGap) -> list[str]:
        """Terms that could be mistaken for the key even without a choice: of its kind, or used alike."""
        key = gap.term
        terms = (self._analysis.lexicon.terms[text.casefold()] for text in self.for_gap(gap))
        return [term.text for term in terms if self._is_of_kind(term, key)]

    def _is_of_kind(self, term: Term, key: Term) -> bool:
        if key.shape is Shape.NAME and len(key.words) > 1:
            return True
        if key.shape is not Shape.COMMON:
            return not term.company.isdisjoint(key.company)
        genus = self._genus.get(key.key)
        shares_head = len(key.words) > 1 and term.words[-1] == key.words[-1]
        return shares_head or (genus is not None and self._genus.get(term.key) == genus)

    def for_definition(self, definition: Definition) -> list[str]:
        """Three terms that the definition does not describe."""
        others = [other for other in self._neighbours(definition) if self._is_apart(other, definition)]
        others.sort(key=lambda other: (-_kinship(other, definition), other.key))
        texts = [other.term for other in others if other.is_plural == definition.is_plural]
        spare = (
            term.text
            for term in self._terms
            if term.is_plural == definition.is_plural
            and term.key not in self._analysis.genera
            and term.key not in self._genus
            and not is_visible(term.words, definition.statement, 0, -1)
        )
        return _drawn(chain(texts, spare), definition.term, definition.body)

    def bodies_for(self, definition: Definition) -> list[str]:
        """Three descriptions of other terms, about as long."""
        bodies = (other.body for other in self.related(definition))
        return _drawn(bodies, definition.body, definition.term)

    def related(self, definition: Definition) -> list[Definition]:
        """Definitions of other terms that could be taken for this one, the likest first."""
        others = [
            other
            for other in self._neighbours(definition)
            if other.is_plural == definition.is_plural
            and BODY_LENGTHS[0] <= len(other.body) / len(definition.body) <= BODY_LENGTHS[1]
            and self._is_apart(other, definition)
        ]
        return sorted(others, key=lambda other: (-_kinship(other, definition), other.key))

    def are_apart(self, one: Definition, other: Definition) -> bool:
        """Whether neither definition describes, or names, what the other one defines."""
        return self._is_apart(one, other) and self._is_apart(other, one)

    def _neighbours(self, definition: Definition) -> tuple[Definition, ...]:
        """The definitions before and after this one, so that a book of them is not compared pair by pair."""
        place = self._place[definition.key]
        return self._analysis.definitions[max(0, place - NEIGHBOURS_MAX) : place + NEIGHBOURS_MAX + 1]

    def _likeness(self, term: Term, key: Term, place: int) -> float:
        union = term.company | key.company
        likeness = 0.6 * len(term.company & key.company) / len(union) if union else 0.0
        likeness += 0.3 * term.salience + 0.3 * (len(term.words) == len(key.words))
        likeness += 0.2 * (term.key[-3:] == key.key[-3:]) + 0.2 * _ratio(len(term.key), len(key.key))
        likeness += 0.4 * (len(key.words) > 1 and term.words[-1] == key.words[-1])
        likeness += 1.0 * (key.key in self._genus and self._genus.get(term.key) == self._genus[key.key])
        distance = min(abs(mention.statement - place) for mention in term.mentions)
        return likeness - 0.3 * min(1.0, distance / NEAR_STATEMENTS)

    def _is_wrong(self, term: Term, gap: TermGap) -> bool:
        """Whether nothing in the module suggests that `term` fits the gap as well as the key does."""
        key = gap.term
        if term.key in self._analysis.genera or self._genus.get(term.key) == key.key:
            return False
        if frozenset((term.key, key.key)) in self._twins or is_visible(term.words, gap.statement, gap.first, gap.last):
            return False
        stem = self._content_of(gap.statement) - set(key.words)
        return all(
            len(stem & self._content_of(self._analysis.statements[mention.statement])) <= OVERLAP_MAX * len(stem)
            for mention in term.mentions
        )

    def _content_of(self, statement: Statement) -> frozenset[str]:
        known = self._content.get(statement.index)
        if known is None:
            known = frozenset(token.lower.rstrip("s") for token in statement.tokens if token.kind in CONTENT)
            self._content[statement.index] = known
        return known

    def _is_apart(self, other: Definition, definition: Definition) -> bool:
        """Whether the two terms are neither the same, nor one a kind of the other."""
        names = set(other.key.split()), set(definition.key.split())
        return (
            other is not definition
            and not (names[0] <= names[1] or names[1] <= names[0])
            and frozenset((other.key, definition.key)) not in self._twins
            and other.genus != definition.key
            and definition.genus != other.key
            and not is_visible(tuple(other.key.split()), definition.statement, 0, -1)
        )


def _fits(term: Term, key: Term, mention: Mention, grammar: Grammar) -> bool:
    """Whether the sentence stays grammatical with `term` in the place of `key`."""
    if term is key or term.shape is not key.shape or term.is_plural != key.is_plural:
        return False
    if abs(len(term.words) - len(key.words)) > 1:
        return False
    if key.shape is Shape.NAME and (len(term.words) > 1) != (len(key.words) > 1):
        return False
    if grammar.genders:
        return _declines_alike(term, key, mention)
    if mention.frame == "":
        return term.is_plural or "" in term.frames
    return mention.frame in term.frames or (mention.frame == "the" and (term.is_plural or "a" in term.frames))


def _declines_alike(term: Term, key: Term, mention: Mention) -> bool:
    """The same gender, case and adjective ending, as far as the words show them."""
    if _adjective_ending(term) != _adjective_ending(key):
        return False
    if key.is_plural:
        return (term.key[-1] == "n") == (key.key[-1] == "n")
    if mention.frame == "" or mention.frame in GENITIVES or not key.gender:
        return mention.frame in term.frames
    return term.gender == key.gender


def _adjective_ending(term: Term) -> str:
    return term.words[0][-2:] if len(term.words) > 1 and term.text[0].islower() else ""


def _kinship(other: Definition, definition: Definition) -> float:
    """How easily the two could be mixed up; a draw decides between equals."""
    near = 1 - min(1.0, abs(other.statement.index - definition.statement.index) / NEAR_STATEMENTS)
    same_words = len(other.key.split()) == len(definition.key.split())
    same_head = other.key.split()[-1] == definition.key.split()[-1]
    shared = _overlap(other.body, definition.body)
    chance = draw(other.key, definition.key) % 100 / 100
    same_genus = other.genus == definition.genus != ""
    return 1.0 * same_genus + 0.5 * near + 0.3 * same_words + 0.5 * same_head + 1.5 * shared + 0.2 * chance


def _overlap(first: str, second: str) -> float:
    """The share of common longer words."""
    words = [
        {word.strip(",.") for word in text.casefold().split() if len(word) > SHORT_WORD} for text in (first, second)
    ]
    return len(words[0] & words[1]) / max(1, len(words[0] | words[1]))


def _drawn(texts: Iterable[str], key: str, seed: str) -> list[str]:
    """Three of the likeliest `texts`, none a part of another or of the key."""
    pool: list[str] = []
    for text in texts:
        if all(_is_distinct(text, other) for other in (key, *pool)):
            pool.append(text)
        if len(pool) == POOL:
            break
    return sorted(pool, key=lambda text: draw(seed, text))[:WANTED]


def _is_distinct(text: str, other: str) -> bool:
    first, second = text.casefold(), other.casefold()
    if first in second or second in first:
        return False
    words = set(first.split()), set(second.split())
    return not (words[0] <= words[1] or words[1] <= words[0])


def _ratio(first: int, second: int) -> float:
    return min(first, second) / max(first, second)
