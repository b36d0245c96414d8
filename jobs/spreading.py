"""How the questions of a module are spread over its topics. Pure; topics are given in the order of the text."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.states import QuestionType
from schemas.topics import Topic

_TYPES = tuple(QuestionType)


class Share(NamedTuple):
    """The topics that a call is to spread its questions over, and those that are others' to ask about."""

    own: tuple[Topic, ...]
    others: tuple[Topic, ...]


def topic_at(topics: Sequence[Topic], place: int) -> Topic:
    """The topic in whose part of the text this place is; what stands before the first one belongs to it."""
    return topics[max(0, bisect_right([topic.start for topic in topics], place) - 1)]


def in_turn(topics: Sequence[Topic], asked: Iterable[int], question_type: QuestionType, lane: int, lanes: int) -> Share:
    """The topics of the next call: those with the fewest questions so far first (`asked`: where each stands).

    Batches of one module and type (lanes) that run at once have topics of their own, as far as there are enough; those
    of different types begin at different topics.
    """
    if not topics:
        return Share((), ())
    own = topics[lane::lanes] or (topics[lane % len(topics)],)
    shift = _TYPES.index(question_type) % len(own)
    rotated = (*own[shift:], *own[:shift])
    counts = Counter(topic_at(topics, place).start for place in asked)
    others = tuple(topic for topic in topics if topic not in own)
    return Share(tuple(sorted(rotated, key=lambda topic: counts[topic.start])), others)
