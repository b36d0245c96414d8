"""Definitions that stand close enough together for one quote to prove a question about all of them."""

from collections.abc import Callable, Iterator, Sequence

from jobs.offline.definitions import Definition
from jobs.offline.distractors import Distractors

GROUP_MIN, GROUP_MAX = 3, 4
PASSAGE_CHARACTERS_MAX = 1600
NEIGHBOURS_MAX = 64
"""A passage can't hold more sentences than this."""

Group = tuple[Definition, ...]


def groups(definitions: Sequence[Definition], can_join: Callable[[Definition, Definition], bool]) -> Iterator[Group]:
    """Three or four neighbours each, every definition in one group at most: no two questions share an answer."""
    ordered = sorted(definitions, key=lambda definition: definition.statement.sentence.start)
    taken: set[str] = set()
    for place, first in enumerate(ordered):
        if first.key in taken:
            continue
        near = [other for other in ordered[place + 1 : place + NEIGHBOURS_MAX] if other.key not in taken]
        group = _group(first, near, can_join)
        if len(group) >= GROUP_MIN:
            taken.update(definition.key for definition in group)
            yield group


def _group(first: Definition, near: Sequence[Definition], can_join: Callable[[Definition, Definition], bool]) -> Group:
    group = [first]
    for definition in near:
        if definition.statement.sentence.end - first.statement.sentence.start > PASSAGE_CHARACTERS_MAX:
            break
        if all(can_join(definition, member) for member in group):
            group.append(definition)
        if len(group) == GROUP_MAX:
            break
    return tuple(group)


def salience_of(group: Group) -> float:
    return sum(definition.salience for definition in group) / len(group)


def strangers(group: Group, member: Definition, distractors: Distractors) -> list[Definition]:
    """Definitions from outside the group that could be taken for that of `member`, the likest first."""
    return [
        other
        for other in distractors.related(member)
        if other not in group and all(distractors.are_apart(other, definition) for definition in group)
    ]


def names_of(group: Group) -> str:
    return ", ".join(definition.term for definition in group)
