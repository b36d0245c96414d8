"""Multiple response: definitions of several terms, some of them with the description of something else."""

from collections.abc import Iterator
from functools import partial

from jobs.offline.analysis import Analysis
from jobs.offline.chance import draw, shuffled
from jobs.offline.definitions import Definition
from jobs.offline.distractors import Distractors
from jobs.offline.ideas import Idea
from jobs.offline.passages import GROUP_MAX, Group, groups, names_of, salience_of, strangers
from jobs.offline.writing import capitalised, draft_of_several, named
from schemas.questions import Draft, MultipleResponse

MERIT_OF_WHOLE_GROUPS = 0.9
MERIT_OF_SMALL_GROUPS = 0.7
ALONE_EACH = 3


def response_ideas(analysis: Analysis) -> Iterator[Idea]:
    distractors = Distractors(analysis)
    for group in groups(analysis.definitions, distractors.are_apart):
        merit = MERIT_OF_WHOLE_GROUPS if len(group) == GROUP_MAX else MERIT_OF_SMALL_GROUPS
        write = partial(_response, group, distractors, analysis)
        yield Idea(group[0].statement.index, names_of(group), merit, salience_of(group), write)


def _response(group: Group, distractors: Distractors, analysis: Analysis) -> Draft | None:
    """None where no other description could be taken for one of these."""
    seed = names_of(group)
    instead = _wrong(group, distractors)
    if not instead:
        return None
    wording = analysis.language.wording
    options = {
        definition.key: _sentence(definition, instead.get(definition.key, definition).body, analysis)
        for definition in group
    }
    order = shuffled(options, seed)
    content = MultipleResponse(
        stem=wording.which_definitions.format(terms=seed),
        options=tuple(options[key] for key in order),
        answers=tuple(place for place, key in enumerate(order) if key not in instead),
    )
    remarks = (
        wording.describes_instead.format(term=definition.term, other=instead[definition.key].term)
        for definition in group
        if definition.key in instead
    )
    statements = [definition.statement for definition in group]
    return draft_of_several(content, statements, analysis, "definition", remark=" ".join(remarks))


def _wrong(group: Group, distractors: Distractors) -> dict[str, Definition]:
    """By the key of a member, the definition whose description it gets. Of three members, one; of four, one or two.

    Two members that could be mistaken for each other make the best question; but two must not always be wrong.
    """
    alone = _with_stranger(group, distractors)
    if len(group) < GROUP_MAX:
        return alone
    swapped = _with_each_other(group, distractors)
    return (alone or swapped) if draw(names_of(group), "wrong") % ALONE_EACH == 0 else (swapped or alone)


def _in_any_order(group: Group) -> list[Definition]:
    return sorted(group, key=lambda definition: draw(names_of(group), definition.key))


def _with_each_other(group: Group, distractors: Distractors) -> dict[str, Definition]:
    for one in _in_any_order(group):
        other = next((other for other in distractors.related(one) if other in group), None)
        if other is not None:
            return {one.key: other, other.key: one}
    return {}


def _with_stranger(group: Group, distractors: Distractors) -> dict[str, Definition]:
    for member in _in_any_order(group):
        other = next(iter(strangers(group, member, distractors)), None)
        if other is not None:
            return {member.key: other}
    return {}


def _sentence(definition: Definition, body: str, analysis: Analysis) -> str:
    wording = analysis.language.wording
    phrase = wording.are_a if definition.is_plural else wording.is_a
    return phrase.format(term=capitalised(named(definition.term, definition.article)), body=body)
