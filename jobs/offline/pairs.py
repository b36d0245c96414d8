"""Matching: terms that the module defines close together, with their descriptions."""

from collections.abc import Iterator
from functools import partial

from jobs.offline.analysis import Analysis
from jobs.offline.definitions import Definition
from jobs.offline.distractors import Distractors
from jobs.offline.ideas import Idea
from jobs.offline.passages import GROUP_MAX, Group, groups, names_of, salience_of, strangers
from jobs.offline.writing import capitalised, draft_of_several
from schemas.questions import Draft, Matching, Pair
from service.rules.likeness import text_form

MERIT_OF_WHOLE_GROUPS = 0.9
MERIT_OF_SMALL_GROUPS = 0.7
ECHO_LETTERS_MIN = 4


def pair_ideas(analysis: Analysis) -> Iterator[Idea]:
    distractors = Distractors(analysis)
    definitions = [definition for definition in analysis.definitions if not _is_told(definition)]

    def can_join(one: Definition, other: Definition) -> bool:
        return one.is_plural == other.is_plural and distractors.are_apart(one, other)

    for group in groups(definitions, can_join):
        merit = MERIT_OF_WHOLE_GROUPS if len(group) == GROUP_MAX else MERIT_OF_SMALL_GROUPS
        write = partial(_matching, group, distractors, analysis)
        yield Idea(group[0].statement.index, names_of(group), merit, salience_of(group), write)


def _is_told(definition: Definition) -> bool:
    """Whether a word of the term in its description would match the two for everybody."""
    words = (set(text_form(text).split()) for text in (definition.term, definition.body))
    return definition.has_echo or any(len(word) >= ECHO_LETTERS_MIN for word in set.intersection(*words))


def _matching(group: Group, distractors: Distractors, analysis: Analysis) -> Draft:
    pairs = tuple(Pair(left=capitalised(definition.term), right=capitalised(definition.body)) for definition in group)
    found = (other for member in group for other in strangers(group, member, distractors))
    # One right too many, so that the last pair is not matched by what is left over.
    extra = next(found, None)
    content = Matching(
        stem=analysis.language.wording.match_terms,
        pairs=pairs,
        extra_rights=(capitalised(extra.body),) if extra else (),
    )
    return draft_of_several(content, [definition.statement for definition in group], analysis, "definition")
