"""What a module is about, by its headings or, where it has too few, by the terms of its parts."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import log, sqrt

from jobs.offline.analysis import Analysis
from jobs.offline.headings import Heading, headings_in
from jobs.offline.ideas import Idea
from jobs.offline.statements import Statement
from jobs.offline.terms import is_worth_asking
from jobs.offline.writing import capitalised
from jobs.providers.base import TopicDraft
from jobs.spreading import topic_at
from jobs.topic_checks import TOPICS_MAX, are_alike
from schemas.topics import Topic

SECTIONS_MIN = 3
PARTS_MIN = 3
STATEMENTS_PER_PART = 5
MERIT_OF_DEFINITIONS = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term that a part of the module may be about; `statement` is where the part comes to it."""

    name: str
    merit: float
    statement: Statement


def topics_of(analysis: Analysis, module_name: str) -> list[TopicDraft]:
    """Those with most sentences first. None where the module has no sentences that questions could be made of."""
    sections = _sections(analysis, module_name)
    if len(sections) < SECTIONS_MIN:
        return list(_terms(analysis))
    longest_first = sorted(sections, key=lambda section: -len(section[1]))
    return [TopicDraft(name=heading.title, quote=_quote(inside[0])) for heading, inside in longest_first[:TOPICS_MAX]]


def by_topic(ideas: Sequence[Idea], own: Sequence[Topic], others: Sequence[Topic], analysis: Analysis) -> list[Idea]:
    """One idea of each of one's own topics in turn, in the order of the topics; when these are at an end, of others."""
    in_text = sorted([*own, *others], key=lambda topic: topic.start)
    of_topic: defaultdict[int, list[Idea]] = defaultdict(list)
    for idea in ideas:
        of_topic[topic_at(in_text, analysis.statements[idea.place].sentence.start).start].append(idea)
    return [idea for topics in (own, others) for idea in _in_turn([of_topic[topic.start] for topic in topics])]


def _in_turn(queues: Sequence[Sequence[Idea]]) -> Iterator[Idea]:
    for row in zip_longest(*queues):
        yield from (idea for idea in row if idea)


def _sections(analysis: Analysis, module_name: str) -> list[tuple[Heading, list[Statement]]]:
    """Each heading with the statements below it, up to the next; without the module's own and those of nothing."""
    headings = list(headings_in(analysis.text))
    below: list[list[Statement]] = [[] for _ in headings]
    for statement in analysis.statements:
        place = sum(heading.end <= statement.sentence.start for heading in headings) - 1
        if place >= 0:
            below[place].append(statement)
    return [
        (heading, inside)
        for heading, inside in zip(headings, below, strict=True)
        if inside and not are_alike(heading.title, module_name)
    ]


def _terms(analysis: Analysis) -> Iterator[TopicDraft]:
    """For each part of the module the term that is most its own; a part without any has no topic."""
    taken: list[str] = []
    for part in _parts(analysis.statements):
        best_first = sorted(_candidates(analysis, part), key=lambda candidate: -candidate.merit)
        chosen = next((found for found in best_first if not any(are_alike(found.name, name) for name in taken)), None)
        if chosen:
            taken.append(chosen.name)
            yield TopicDraft(name=capitalised(chosen.name), quote=_quote(chosen.statement))


def _parts(statements: Sequence[Statement]) -> Iterator[Sequence[Statement]]:
    count = min(len(statements), TOPICS_MAX, max(PARTS_MIN, len(statements) // STATEMENTS_PER_PART))
    for place in range(count):
        yield statements[place * len(statements) // count : (place + 1) * len(statements) // count]


def _candidates(analysis: Analysis, part: Sequence[Statement]) -> Iterator[Candidate]:
    places = range(part[0].index, part[-1].index + 1)
    for definition in analysis.definitions:
        if definition.statement.index in places:
            merit = MERIT_OF_DEFINITIONS + definition.salience
            yield Candidate(definition.term, merit, definition.statement)
    counts: Counter[str] = Counter()
    first_of: dict[str, Statement] = {}
    for statement in part:
        for term, _ in analysis.lexicon.in_statement[statement.index]:
            counts[term.key] += 1
            first_of.setdefault(term.key, statement)
    for key, count in counts.items():
        term = analysis.lexicon.terms[key]
        if is_worth_asking(term, analysis.language):
            merit = term.salience * log(1 + count) * sqrt(count / term.count)
            yield Candidate(term.text, merit, first_of[key])


def _quote(statement: Statement) -> str:
    return statement.sentence.quote
